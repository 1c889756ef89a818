/** `portolan verify` and `portolan replication` beside the servers of two regions. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import {
  CreateRepositoryCommand,
  ECRClient,
  PutReplicationConfigurationCommand,
} from "@aws-sdk/client-ecr";
import { attemptCommand, type CommandResult } from "../support/command.ts";
import { type RegionProcesses, startRegionProcesses } from "../support/region-processes.ts";
import { portolanCommand } from "../support/server-process.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { waitUntil } from "../support/wait-until.ts";
import { testBlob } from "./blob-transfers.ts";

setDefaultTimeout(120_000);

let regions: RegionProcesses;

beforeAll(async () => {
  regions = await startRegionProcesses("us-east-1", "eu-west-1");
  const { endpoint } = regions.region("us-east-1");
  const client = new ECRClient({ endpoint, region: "us-east-1", credentials: regions.credentials });
  await client.send(new CreateRepositoryCommand({ repositoryName: "web" }));
  await client.send(
    new PutReplicationConfigurationCommand({
      replicationConfiguration: {
        rules: [{ destinations: [{ region: "eu-west-1", registryId: regions.account }] }],
      },
    }),
  );
});

afterAll(() => regions[Symbol.asyncDispose]());

async function push(tag: string): Promise<void> {
  const { endpoint, authorization } = regions.region("us-east-1");
  const headers = { authorization };
  const { bytes, digest } = testBlob(3000, tag);
  const session = await fetch(`${endpoint}/v2/web/blobs/uploads/`, { method: "POST", headers });
  const location = new URL(session.headers.get("location") ?? "", endpoint);
  location.searchParams.set("digest", digest);
  const blob = await fetch(location, { method: "PUT", headers, body: bytes });
  expect(blob.status).toBe(201);
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const manifest = await fetch(`${endpoint}/v2/web/manifests/${tag}`, {
    method: "PUT",
    headers: { ...headers, "content-type": mediaType },
    body: JSON.stringify({
      ...{ schemaVersion: 2, mediaType, layers: [] },
      config: {
        ...{ mediaType: "application/vnd.oci.image.config.v1+json", digest, size: bytes.length },
      },
    }),
  });
  expect(manifest.status).toBe(201);
}

const portolan = (...command: string[]): Promise<CommandResult> =>
  attemptCommand([
    ...portolanCommand(),
    ...command,
    "--config",
    regions.configuration("us-east-1"),
  ]);

async function json(...command: string[]) {
  const { stdout } = await portolan(...command, "--json");
  return JSON.parse(stdout);
}

const arrived = (tag: string) =>
  waitUntil(`${tag} to be complete`, async () => {
    const [status] = await json("replication", "image", `web:${tag}`);
    return status?.state === "complete" && status;
  });

test("an operator compares, pauses, looks, resumes and repairs", async () => {
  await push("first");
  expect(await arrived("first")).toMatchObject({ region: "eu-west-1", attempts: 1 });
  const equal = await portolan("verify", "--deep");
  expect(equal.stderr).toBe("");
  expect(equal.stdout).toContain("everything is there");
  expect(equal.exitCode).toBe(0);

  const paused = await portolan("replication", "pause", "--destination", "eu-west-1");
  expect(paused.stdout).toBe("eu-west-1 is paused.\n");
  // The server has seen it when it tells so.
  const { endpoint, authorization } = regions.region("us-east-1");
  await waitUntil("the server to know", async () => {
    const metrics = await fetch(`${endpoint}/metrics`, { headers: { authorization } });
    return (await metrics.text()).includes('portolan_replication_paused{region="eu-west-1"} 1');
  });
  await push("second");
  const status = await json("replication", "status");
  expect(status.destinations[0]).toMatchObject({ backlogImages: 1, state: { state: "paused" } });
  expect(status.atRisk.images).toBe(1);
  const shown = await portolan("replication", "status");
  expect(shown.stdout).toContain("If us-east-1 died now, 1 image");
  expect(shown.stdout).toContain("paused for");
  const waiting = await portolan("verify");
  expect(waiting.stdout).toContain("on the way: still to be sent");
  expect(waiting.exitCode).toBe(0);

  await portolan("replication", "resume", "--destination", "eu-west-1");
  await arrived("second");
  const timeline = await portolan("replication", "image", "web:second");
  for (const event of ["pushed", "first attempt", "complete, "]) {
    expect(timeline.stdout).toContain(event);
  }

  // What was lost at the destination is found, and brought again by the running server.
  const replica = regions.region("eu-west-1");
  const deleted = await fetch(`${replica.endpoint}/v2/web/manifests/${await digestOf("first")}`, {
    method: "DELETE",
    headers: { authorization: replica.authorization },
  });
  expect(deleted.status).toBe(202);
  const wrong = await portolan("verify", "--destination", "eu-west-1", "--repair");
  expect(wrong.stdout).toContain("missing");
  expect(wrong.exitCode).toBe(1);
  await waitUntil("the repair", async () => (await portolan("verify")).exitCode === 0);

  expect((await portolan("replication", "failures")).stdout).toBe("Nothing has failed.\n");
  expect(await json("replication", "retry")).toEqual({ retried: 0 });
});

test("mistakes are told in words", async () => {
  const unknown = await portolan("replication", "pause", "--destination", "mars-north-1");
  expect(unknown).toMatchObject({ exitCode: 2 });
  expect(unknown.stderr).toContain("the chart of this region has no mars-north-1");
  const nowhere = await portolan("verify", "--destination", "mars-north-1");
  expect(nowhere.exitCode).toBe(1);
  expect(nowhere.stderr).toContain("no replication rule");
  const image = await portolan("replication", "image", "web");
  expect(image).toMatchObject({ exitCode: 2 });
  expect(image.stderr).toContain("REPOSITORY:TAG");
});

test("what has not arrived is listed exactly, and signed by the region", async () => {
  const config = regions.configuration("us-east-1");
  await portolan("replication", "pause", "--destination", "eu-west-1");
  await waitUntil("the server to know", async () => {
    const { endpoint, authorization } = regions.region("us-east-1");
    const metrics = await fetch(`${endpoint}/metrics`, { headers: { authorization } });
    return (await metrics.text()).includes('portolan_replication_paused{region="eu-west-1"} 1');
  });
  await push("third");
  // Its process is gone; its database is not.
  await regions.region("us-east-1").kill();
  const listed = await portolan("replication", "lost", "--json");
  expect(listed.exitCode).toBe(1);
  const signed = JSON.parse(listed.stdout);
  const { images } = JSON.parse(signed.statement);
  expect(images).toMatchObject([{ repository: "web", tag: "third", state: "pending" }]);

  const directory = temporaryDirectory();
  const check = async (statement: unknown) => {
    const path = join(directory.path, "lost.json");
    await Bun.write(path, JSON.stringify(statement));
    const other = regions.configuration("eu-west-1");
    const command = ["replication", "lost", "--check", path, "--config", other];
    return attemptCommand([...portolanCommand(), ...command]);
  };
  expect((await check(signed)).stdout).toContain("1 missing at its destinations");
  const changed = { ...signed, statement: signed.statement.replace('"third"', '"other"') };
  expect((await check(changed)).stderr).toContain("the signature is not of us-east-1");
  expect((await check({})).stderr).toContain("is no signed statement");
  directory.remove();

  await regions.region("us-east-1").start();
  await portolan("replication", "resume", "--destination", "eu-west-1");
  await arrived("third");
  const empty = await attemptCommand([
    ...portolanCommand(),
    ...["replication", "lost", "--destination", "eu-west-1", "--config", config],
  ]);
  expect(empty.exitCode).toBe(0);
  expect(empty.stdout).toContain("nothing is missing at eu-west-1");
});

test("a destination that is down cannot be compared, and that is said", async () => {
  await regions.region("eu-west-1").kill();
  const down = await portolan("verify");
  expect(down.exitCode).toBe(1);
  expect(down.stderr).toContain("cannot be compared");
});

async function digestOf(tag: string): Promise<string> {
  const { endpoint, authorization } = regions.region("us-east-1");
  const answer = await fetch(`${endpoint}/v2/web/manifests/${tag}`, {
    method: "HEAD",
    headers: { authorization },
  });
  return answer.headers.get("docker-content-digest") ?? "";
}
