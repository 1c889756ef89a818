/** Registries of the chart: real servers, configured as an operator does, driven by AWS's own client. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import {
  CreateRepositoryCommand,
  DescribeImageReplicationStatusCommand,
  ECRClient,
  PutReplicationConfigurationCommand,
} from "@aws-sdk/client-ecr";
import { stringify } from "yaml";
import { digestOf } from "../../src/image/digest.ts";
import { mediaTypes } from "../../src/image/media-type.ts";
import { attemptCommand } from "../support/command.ts";
import { noise } from "../support/push-image.ts";
import { connectRegistry } from "../support/registry-connection.ts";
import {
  portolanCommand,
  type ServerProcess,
  startServer,
  testCredentials,
} from "../support/server-process.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { waitUntil } from "../support/wait-until.ts";

setDefaultTimeout(60_000);

const account = "111122223333";
const directory = temporaryDirectory();
const configuration = join(directory.path, "portolan.yaml");
let there: ServerProcess;
let source: ServerProcess;

beforeAll(async () => {
  // It creates no repository on push, as Amazon ECR does not.
  there = await startServer({
    region: "eu-west-1",
    flags: ["--set", "registry.creationTemplates=none"],
  });
  const { accessKeyId, secretAccessKey } = testCredentials;
  const keys = `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`;
  await Bun.write(join(directory.path, "keys"), keys);
  const auth = btoa(`${accessKeyId}:${secretAccessKey}`);
  await Bun.write(
    join(directory.path, "login.json"),
    JSON.stringify({ auths: { [there.host]: { auth } } }),
  );
  const { endpoint } = there;
  const registries = [
    {
      ...{ name: "through-api", kind: "oci", endpoint, repository: "api/{repository}" },
      credentials: { kind: "ecr", file: "keys", region: "eu-west-1" },
    },
    {
      ...{ name: "by-password", kind: "oci", endpoint, repository: "{account}/{repository}" },
      credentials: { file: "login.json" },
    },
  ];
  const settings = { root: { credentials: "keys" } };
  await Bun.write(
    configuration,
    stringify({ account, data: "data", ...settings, chart: registries }),
  );
  source = await startServer({ configuration, credentials: testCredentials });
}, 120_000);

afterAll(async () => {
  await source?.[Symbol.asyncDispose]();
  await there?.[Symbol.asyncDispose]();
  directory.remove();
});

test("the configuration is checked, credentials included, and shows no secret", async () => {
  const run = (...command: string[]) =>
    attemptCommand([...portolanCommand(), ...command, "--config", configuration]);
  const checked = await run("config", "check");
  expect(checked.stderr + checked.stdout).toContain("is valid");
  const shown = await run("config");
  expect(shown.stdout).toContain("name: by-password");
  expect(shown.stdout).not.toContain(testCredentials.secretAccessKey);
});

test("a push arrives through the API's password, creating the repository, and is reported", async () => {
  const ecr = new ECRClient({
    endpoint: source.endpoint,
    region: "us-east-1",
    credentials: testCredentials,
  });
  const registry = connectRegistry(source.endpoint, source.authorization);
  await ecr.send(
    new PutReplicationConfigurationCommand({
      replicationConfiguration: {
        rules: [
          {
            destinations: ["through-api", "by-password"].map((region) => ({
              region,
              registryId: account,
            })),
            repositoryFilters: [{ filter: "prod-", filterType: "PREFIX_MATCH" }],
          },
        ],
      },
    }),
  );
  const foreign = ecr.send(
    new PutReplicationConfigurationCommand({
      replicationConfiguration: {
        rules: [{ destinations: [{ region: "by-password", registryId: "444455556666" }] }],
      },
    }),
  );
  await expect(foreign).rejects.toThrow("takes an account's images from itself only");
  const blobs = [new TextEncoder().encode("{}"), noise("layer", 3_000_000)];
  for (const bytes of blobs) await registry.pushBlob("prod-web", digestOf(bytes), bytes);
  const [config, layer] = blobs.map((bytes, i) => ({
    mediaType: `application/vnd.oci.image.${i === 0 ? "config.v1+json" : "layer.v1.tar"}`,
    digest: digestOf(bytes),
    size: bytes.byteLength,
  }));
  const manifest = new TextEncoder().encode(
    JSON.stringify({
      ...{ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [layer] },
    }),
  );
  const put = await registry.putManifest("prod-web", "1", manifest, mediaTypes.ociManifest);
  expect(put.status).toBe(201);
  const statuses = async () => {
    const answer = await ecr.send(
      new DescribeImageReplicationStatusCommand({
        repositoryName: "prod-web",
        imageId: { imageTag: "1" },
      }),
    );
    return answer.replicationStatuses ?? [];
  };
  await waitUntil("the copy", async () =>
    (await statuses()).some(
      ({ region, status }) => region === "through-api" && status === "COMPLETE",
    ),
  );
  const copy = connectRegistry(there.endpoint, there.authorization);
  expect((await copy.verifyImage("api/prod-web", "1")).digest).toBe(digestOf(manifest));
  // A password alone creates no repository there; made by hand, the image arrives by itself.
  await waitUntil("the reason", () => source.log().includes('"code":"repository_unknown"'));
  const admin = new ECRClient({
    endpoint: there.endpoint,
    region: "eu-west-1",
    credentials: testCredentials,
  });
  await admin.send(new CreateRepositoryCommand({ repositoryName: `${account}/prod-web` }));
  await waitUntil("the other copy", async () =>
    (await statuses()).every(({ status }) => status === "COMPLETE"),
  );
  expect((await copy.verifyImage(`${account}/prod-web`, "1")).digest).toBe(digestOf(manifest));
  expect(source.log()).not.toContain(testCredentials.secretAccessKey);
});
