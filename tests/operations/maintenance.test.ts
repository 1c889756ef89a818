/** `portolan gc` and `portolan scrub` as processes of their own, beside a server that works. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { pullBlob, pushBlob, type TestBlob, testBlob } from "./blob-transfers.ts";
import { authorization, runPortolan, type ServerProcess, startServer } from "./portolan-process.ts";

const directory = temporaryDirectory();
const data = ["--data", directory.path];
let server: ServerProcess;

beforeAll(async () => {
  server = await startServer(data);
}, 120_000);

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  directory.remove();
});

const blobPath = ({ digest }: TestBlob) => {
  const hex = digest.replace("sha256:", "");
  return join(directory.path, "blobs", "sha256", hex.slice(0, 2), hex);
};

async function pushImage(tag: string, config: TestBlob): Promise<void> {
  expect(await pushBlob(server, "app", config)).toBe(201);
  const response = await fetch(`${server.url}/v2/app/manifests/${tag}`, {
    method: "PUT",
    headers: { authorization, "content-type": "application/vnd.oci.image.manifest.v1+json" },
    body: JSON.stringify({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config: {
        mediaType: "application/vnd.oci.image.config.v1+json",
        digest: config.digest,
        size: config.bytes.length,
      },
      layers: [],
    }),
  });
  expect(response.status).toBe(201);
}

const statusOf = async ({ digest }: TestBlob) =>
  (await fetch(`${server.url}/v2/app/blobs/${digest}`, { headers: { authorization } })).status;

describe("gc", () => {
  test("tells first, then removes garbage, and leaves what an image needs", async () => {
    const needed = testBlob(10_000, "needed");
    const garbage = testBlob(20_000, "garbage");
    await pushImage("v1", needed);
    expect(await pushBlob(server, "app", garbage)).toBe(201);
    const now = ["--set", "registry.garbageGrace=0"];

    const young = await runPortolan(["gc", ...data, "--json"]);
    expect(JSON.parse(young.stdout)).toMatchObject({ complete: true, links: 0, blobs: 0 });

    const told = await runPortolan(["gc", ...data, ...now, "--dry-run", "--list"]);
    expect(told.stderr).toBe("");
    expect(told.exitCode).toBe(0);
    expect(told.stdout).toContain(garbage.digest);
    expect(told.stdout).not.toContain(needed.digest);
    expect(told.stdout).toContain("Would be removed:");
    expect(await statusOf(garbage)).toBe(200);

    // The link goes first; its blob follows when nothing has touched it since.
    const lines = [];
    for (let i = 0; i < 2; i++) {
      const done = await runPortolan(["gc", ...data, ...now, "--json", "--list"]);
      expect(done.exitCode).toBe(0);
      lines.push(
        ...done.stdout
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line)),
      );
    }
    expect(lines).toContainEqual({
      kind: "link",
      account: "111122223333",
      repository: "app",
      digest: garbage.digest,
    });
    expect(await statusOf(garbage)).toBe(404);
    expect(await Bun.file(blobPath(garbage)).exists()).toBe(false);
    expect(Buffer.compare(await pullBlob(server, "app", needed.digest), needed.bytes)).toBe(0);
  }, 120_000);
});

describe("scrub", () => {
  test("finds a damaged blob, takes it away, and the next push mends it", async () => {
    const blob = testBlob(300_000, "to be damaged");
    await pushImage("v2", blob);
    const clean = await runPortolan(["scrub", ...data, "--json", "--rate", "1GiB"]);
    expect(JSON.parse(clean.stdout)).toMatchObject({ complete: true, damagedBlobs: 0 });
    expect(clean.exitCode).toBe(0);

    writeFileSync(
      blobPath(blob),
      blob.bytes.map((byte, i) => (i === 5000 ? byte ^ 1 : byte)),
    );
    const damaged = await runPortolan(["scrub", ...data]);
    expect(damaged.exitCode).toBe(1);
    expect(damaged.stdout).toContain(`blob      ${blob.digest}  damaged`);
    expect(damaged.stdout).toContain("111122223333/app");
    expect(damaged.stdout).toMatch(/1 {2}damaged blobs, now in quarantine/);
    expect(readdirSync(join(directory.path, "quarantine"))).toHaveLength(1);
    expect(await statusOf(blob)).toBe(404);

    const missing = await runPortolan(["scrub", ...data, "--json"]);
    expect(missing.exitCode).toBe(1);
    await pushImage("v2", blob);
    expect(Buffer.compare(await pullBlob(server, "app", blob.digest), blob.bytes)).toBe(0);
    expect((await runPortolan(["scrub", ...data])).exitCode).toBe(0);
  }, 120_000);

  test("a wrong rate, a wrong digest and a directory without a region are refused", async () => {
    const cases: readonly [string[], number, string][] = [
      [["scrub", ...data, "--rate", "fast"], 2, "expected a size"],
      [["scrub", ...data, "--after", "latest"], 2, "expected a digest"],
      [["scrub", "--data", join(directory.path, "typo")], 1, "no region was ever started in"],
      [["gc", "--data", join(directory.path, "typo")], 1, "no region was ever started in"],
      [["gc", ...data, "--region", "eu-west-1"], 1, "belongs to the region us-east-1"],
    ];
    for (const [args, exitCode, message] of cases) {
      const result = await runPortolan(args);
      expect(result.stderr).toContain(message);
      expect(result.exitCode).toBe(exitCode);
    }
    expect(readdirSync(directory.path)).not.toContain("typo");
  }, 120_000);
});
