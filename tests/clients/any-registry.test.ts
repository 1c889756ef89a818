/**
 * Real images on their way to a registry that is not ours: pushed by skopeo into `portolan serve`,
 * configured by the AWS CLI, pulled by skopeo from Debian's docker-registry.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { stringify } from "yaml";
import { type ClientHome, clientHome } from "../support/client-home.ts";
import { runCommand } from "../support/command.ts";
import {
  type DockerRegistry,
  dockerRegistryHint,
  haveDockerRegistry,
  startDockerRegistry,
} from "../support/docker-registry.ts";
import { haveTestImages, imageToolsHint, type TestImages, testImages } from "../support/images.ts";
import { readLayoutImage } from "../support/oci-layout.ts";
import { haveAws } from "../support/region-processes.ts";
import { requirement } from "../support/require.ts";
import { type ServerProcess, startServer, testCredentials } from "../support/server-process.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { waitUntil } from "../support/wait-until.ts";

setDefaultTimeout(120_000);

const available = [
  requirement("clients", Bun.which("skopeo") !== null, "skopeo (apt-get install skopeo)"),
  requirement("clients", haveAws, "aws (apt-get install awscli)"),
  requirement("clients", haveDockerRegistry, dockerRegistryHint),
  requirement("clients", haveTestImages(), imageToolsHint),
].every(Boolean);

describe.skipIf(!available)("docker-registry as a destination of portolan serve", () => {
  const directory = temporaryDirectory();
  let images: TestImages;
  let home: ClientHome;
  let registry: DockerRegistry;
  let source: ServerProcess;

  const skopeo = (...command: string[]) =>
    runCommand(["skopeo", "--insecure-policy", ...command], { environment: home.environment });

  beforeAll(async () => {
    images = await testImages();
    home = clientHome();
    registry = await startDockerRegistry();
    const login = join(directory.path, "login.json");
    // The file that a client's login writes is the one that the server reads.
    await skopeo(
      ...["login", "--tls-verify=false", "--authfile", login],
      ...["-u", registry.username, "-p", registry.password, registry.host],
    );
    const { accessKeyId, secretAccessKey } = testCredentials;
    await Bun.write(
      join(directory.path, "root"),
      `[default]\naws_access_key_id=${accessKeyId}\naws_secret_access_key=${secretAccessKey}\n`,
    );
    const configuration = join(directory.path, "portolan.yaml");
    await Bun.write(
      configuration,
      stringify({
        data: "data",
        root: { credentials: "root" },
        chart: [
          {
            ...{ name: "backup", kind: "oci", endpoint: registry.endpoint },
            ...{ repository: "mirror/{repository}", credentials: { file: "login.json" } },
          },
        ],
      }),
    );
    source = await startServer({ configuration, credentials: testCredentials });
    await aws("put-replication-configuration", "--replication-configuration", rules);
  }, 600_000);
  afterAll(async () => {
    await source?.[Symbol.asyncDispose]();
    await registry?.[Symbol.asyncDispose]();
    await home?.[Symbol.asyncDispose]();
    directory.remove();
  });

  const rules = JSON.stringify({
    rules: [{ destinations: [{ region: "backup", registryId: "111122223333" }] }],
  });
  const aws = (...command: string[]) =>
    runCommand(["aws", "ecr", ...command, "--endpoint-url", source.endpoint], {
      environment: {
        ...home.environment,
        AWS_ACCESS_KEY_ID: testCredentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: testCredentials.secretAccessKey,
        AWS_DEFAULT_REGION: "us-east-1",
        AWS_PAGER: "",
      },
    });

  for (const name of ["debianVersion1", "multiArchitecture", "manyLayers", "zstd"] as const) {
    test(`${name}: every digest arrives`, async () => {
      const layout = images[name];
      const expected = await readLayoutImage(layout);
      const { accessKeyId, secretAccessKey } = testCredentials;
      await skopeo(
        ...["copy", "--quiet", "--all", "--dest-tls-verify=false"],
        ...["--dest-creds", `${accessKeyId}:${secretAccessKey}`],
        ...[layout, `docker://${source.host}/${name.toLowerCase()}:1`],
      );
      const creds = `${registry.username}:${registry.password}`;
      const copied = join(directory.path, `copy-${name}`);
      await waitUntil("the tag", async () => {
        const answer = await registry.fetch(
          "HEAD",
          `/v2/mirror/${name.toLowerCase()}/manifests/1`,
          {
            accept:
              "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json",
          },
        );
        return answer.headers.get("docker-content-digest") === expected.digest;
      });
      await skopeo(
        ...["copy", "--quiet", "--all", "--src-tls-verify=false", "--src-creds", creds],
        ...[`docker://${registry.host}/mirror/${name.toLowerCase()}:1`, `oci:${copied}:1`],
      );
      const actual = await readLayoutImage(`oci:${copied}:1`);
      expect(actual.digest).toBe(expected.digest);
      expect([...actual.digests].sort()).toEqual([...expected.digests].sort());
    });
  }
});
