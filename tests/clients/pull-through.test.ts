/**
 * The pull-through cache with clients that nobody wrote for it: rules by the AWS CLI, pulls by skopeo,
 * upstreams being Debian's docker-registry and another `portolan serve`.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ClientHome, clientHome } from "../support/client-home.ts";
import { attemptCommand, runCommand } from "../support/command.ts";
import { freePort } from "../support/free-port.ts";
import { haveTestImages, imageToolsHint, type TestImages, testImages } from "../support/images.ts";
import { readLayoutImage } from "../support/oci-layout.ts";
import { connectRegistry } from "../support/registry-connection.ts";
import { requirement } from "../support/require.ts";
import { type ServerProcess, startServer } from "../support/server-process.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../support/temporary-directory.ts";
import { waitUntil } from "../support/wait-until.ts";

setDefaultTimeout(120_000);

const available = [
  requirement("clients", Bun.which("skopeo") !== null, "skopeo (apt-get install skopeo)"),
  requirement("clients", Bun.which("aws") !== null, "aws (apt-get install awscli)"),
  requirement(
    "clients",
    Bun.which("docker-registry") !== null,
    "docker-registry (apt-get install docker-registry)",
  ),
  requirement("clients", haveTestImages(), imageToolsHint),
].every(Boolean);

describe.skipIf(!available)("a cache of other registries", () => {
  let images: TestImages;
  let directory: TemporaryDirectory;
  let home: ClientHome;
  let debian: { readonly host: string; readonly child: Bun.Subprocess };
  let upstream: ServerProcess;
  let cache: ServerProcess;

  beforeAll(async () => {
    images = await testImages();
    directory = temporaryDirectory();
    home = clientHome();
    debian = await startDebianRegistry(directory.path);
    upstream = await startServer();
    cache = await startServer({
      flags: ["--set", `pullThroughCache.insecureUpstreams=${debian.host},${upstream.host}`],
    });
  }, 600_000);
  afterAll(async () => {
    await cache?.[Symbol.asyncDispose]();
    await upstream?.[Symbol.asyncDispose]();
    debian?.child.kill();
    await debian?.child.exited;
    await home?.[Symbol.asyncDispose]();
    directory?.remove();
  });

  const credentials = ({ credentials: { accessKeyId, secretAccessKey } }: ServerProcess) =>
    `${accessKeyId}:${secretAccessKey}`;
  const skopeo = (...command: string[]) =>
    runCommand(["skopeo", "--insecure-policy", ...command], { environment: home.environment });

  async function aws(...parameters: string[]): Promise<Record<string, unknown>> {
    const { accessKeyId, secretAccessKey } = cache.credentials;
    const stdout = await runCommand(
      ["aws", ...parameters, "--endpoint-url", cache.endpoint, "--output", "json"],
      {
        environment: {
          ...home.environment,
          AWS_ACCESS_KEY_ID: accessKeyId,
          AWS_SECRET_ACCESS_KEY: secretAccessKey,
          AWS_DEFAULT_REGION: cache.region,
          AWS_PAGER: "",
          ...(process.env.PYENV_ROOT !== undefined && { PYENV_ROOT: process.env.PYENV_ROOT }),
        },
      },
    );
    return JSON.parse(stdout) as Record<string, unknown>;
  }

  async function pullTwice(repository: string, tag: string, source: string, end: () => unknown) {
    const reference = `docker://${cache.host}/${repository}:${tag}`;
    const pull = (target: string) =>
      skopeo(
        ...["copy", "--quiet", "--all", "--src-tls-verify=false"],
        ...[
          "--src-creds",
          credentials(cache),
          reference,
          `oci:${join(directory.path, target.replaceAll("/", "-"))}:x`,
        ],
      );
    await pull(`${repository}-1`);
    const described = await waitUntil("the image in the cache", async () => {
      const { exitCode, stdout } = await attemptAws("describe-images", repository, tag);
      return exitCode === 0 ? stdout : undefined;
    });
    const expected = await readLayoutImage(source);
    expect(described).toContain(expected.digest);
    await end();
    await pull(`${repository}-2`);
    const registry = connectRegistry(cache.endpoint, cache.authorization);
    expect((await registry.verifyImage(repository, tag)).digest).toBe(expected.digest);
  }

  function attemptAws(operation: string, repository: string, tag: string) {
    const { accessKeyId, secretAccessKey } = cache.credentials;
    return attemptCommand(
      [
        ...["aws", "ecr", operation, "--repository-name", repository],
        ...["--image-ids", `imageTag=${tag}`, "--endpoint-url", cache.endpoint],
      ],
      {
        environment: {
          ...home.environment,
          AWS_ACCESS_KEY_ID: accessKeyId,
          AWS_SECRET_ACCESS_KEY: secretAccessKey,
          AWS_DEFAULT_REGION: cache.region,
          ...(process.env.PYENV_ROOT !== undefined && { PYENV_ROOT: process.env.PYENV_ROOT }),
        },
      },
    );
  }

  test("of Debian's docker-registry: pulled through, and served when that is gone", async () => {
    const target = `docker://${debian.host}/team/app:1`;
    await skopeo(
      "copy",
      "--quiet",
      "--all",
      "--dest-tls-verify=false",
      images.debianVersion1,
      target,
    );
    await aws(
      ...["ecr", "create-pull-through-cache-rule", "--ecr-repository-prefix", "debian"],
      ...["--upstream-registry-url", debian.host],
    );
    await pullTwice("debian/team/app", "1", images.debianVersion1, async () => {
      debian.child.kill();
      await debian.child.exited;
    });
  });

  test("of another Portolan: with credentials from a secret", async () => {
    const target = `docker://${upstream.host}/team/index:2`;
    await skopeo(
      ...["copy", "--quiet", "--all", "--dest-tls-verify=false"],
      ...["--dest-creds", credentials(upstream), images.multiArchitecture, target],
    );
    const [username, accessToken] = credentials(upstream).split(":");
    const secret = await aws(
      ...["secretsmanager", "create-secret", "--name", "ecr-pullthroughcache/other"],
      ...["--secret-string", JSON.stringify({ username, accessToken })],
    );
    await aws(
      ...["ecr", "create-pull-through-cache-rule", "--ecr-repository-prefix", "other"],
      ...["--upstream-registry-url", upstream.host, "--credential-arn", String(secret.ARN)],
    );
    const validated = await aws(
      ...["ecr", "validate-pull-through-cache-rule", "--ecr-repository-prefix", "other"],
    );
    expect(validated.isValid).toBe(true);
    await pullTwice("other/team/index", "2", images.multiArchitecture, () => upstream.kill());
  });
});

async function startDebianRegistry(directory: string) {
  const host = `127.0.0.1:${freePort()}`;
  const data = join(directory, "docker-registry");
  mkdirSync(data);
  const configuration = join(directory, "docker-registry.yml");
  writeFileSync(
    configuration,
    `version: 0.1
log: { level: error, accesslog: { disabled: true } }
storage: { filesystem: { rootdirectory: ${JSON.stringify(data)} } }
http: { addr: "${host}", secret: test }
`,
  );
  const child = Bun.spawn(["docker-registry", "serve", configuration], {
    stdout: "ignore",
    stderr: "ignore",
  });
  await waitUntil("docker-registry", async () => (await fetch(`http://${host}/v2/`)).ok);
  return { host, child };
}
