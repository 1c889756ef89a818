/** docker, with a dockerd of our own: push, pull, run, lists of architectures, and a link that breaks. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mediaTypes } from "../../src/image/media-type.ts";
import { type ClientHome, clientHome } from "../support/client-home.ts";
import { attemptCommand, CommandError, runCommand } from "../support/command.ts";
import { startCuttingProxy } from "../support/cutting-proxy.ts";
import { type DockerDaemon, haveDocker, startDockerDaemon } from "../support/docker-daemon.ts";
import { haveTestImages, imageToolsHint, type TestImages, testImages } from "../support/images.ts";
import { readLayoutImage } from "../support/oci-layout.ts";
import { connectRegistry, type RegistryConnection } from "../support/registry-connection.ts";
import { mountedBlobs, partialReads, uploadedBlobs } from "../support/request-log.ts";
import { requirement } from "../support/require.ts";
import { type ServerProcess, startServer } from "../support/server-process.ts";
import { waitUntil } from "../support/wait-until.ts";

// Images of a hundred megabytes on a busy machine.
setDefaultTimeout(120_000);

const available = [
  requirement(
    "clients",
    haveDocker && process.getuid?.() === 0,
    "docker and root (apt-get install docker.io)",
  ),
  requirement("clients", haveTestImages(), imageToolsHint),
].every(Boolean);

describe.skipIf(!available)("docker", () => {
  let images: TestImages;
  let server: ServerProcess;
  let registry: RegistryConnection;
  let home: ClientHome;
  let daemon: DockerDaemon;

  beforeAll(async () => {
    images = await testImages();
    server = await startServer();
    registry = connectRegistry(server.endpoint, server.authorization);
    home = clientHome();
    daemon = await startDockerDaemon(home.environment);
    await login(server.host);
    await load(images.debianVersion1, "debian:1");
    await load(images.debianVersion2, "debian:2");
    await load(images.manyLayers, "tower:1");
  }, 600_000);
  afterAll(async () => {
    await daemon?.[Symbol.asyncDispose]();
    await home?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  const docker = (...command: string[]) => daemon.docker(...command);
  const failure = async (...command: string[]): Promise<string> => {
    const outcome = await docker(...command).catch((error: unknown) => error);
    if (!(outcome instanceof CommandError))
      throw new Error(`docker ${command.join(" ")} succeeded`);
    return outcome.result.stderr;
  };
  const login = (host: string, secret = server.credentials.secretAccessKey) =>
    docker("login", "-u", server.credentials.accessKeyId, "-p", secret, host);
  const name = (image: string) => `${server.host}/${image}`;
  /** Into the daemon's own storage, without a registry. */
  const load = (source: string, image: string) =>
    runCommand([
      ...["skopeo", "--insecure-policy", "copy", "--quiet", "--dest-daemon-host", daemon.address],
      ...[source, `docker-daemon:${image}`],
    ]);
  const push = async (image: string, target: string) => {
    await docker("tag", image, name(target));
    return docker("push", name(target));
  };
  const imageId = (image: string) => docker("image", "inspect", "--format", "{{.Id}}", image);
  const run = (image: string, ...command: string[]) =>
    docker("run", "--rm", "--network=none", image, ...command);

  test("login: the right password is taken, a wrong one is not, without one there is no way in", async () => {
    expect(await login(server.host)).toContain("Login Succeeded");
    expect(await login(server.host, "wrong").catch(String)).toMatch(/unauthorized/i);
    await login(server.host);
    await docker("logout", server.host);
    await docker("tag", "debian:1", name("anonymous:1"));
    const words = await failure("push", name("anonymous:1"));
    expect(words).toMatch(/no basic auth credentials|authentication required|unauthorized/);
    await login(server.host);
    expect(await registry.findDigest("anonymous", "1")).toBeUndefined();
  });

  test("two versions: pushed, pulled again and run; the shared base is sent once", async () => {
    await push("debian:1", "app:1");
    const before = (await server.requests()).length;
    const words = await push("debian:2", "app:2");
    expect(words).toContain("Layer already exists");
    const requests = (await server.requests()).slice(before);
    // The package layer, the layer of the application, the configuration.
    expect(uploadedBlobs(requests, "app").length).toBe(3);
    for (const version of ["1", "2"]) {
      const image = name(`app:${version}`);
      const id = await imageId(image);
      const pushed = await registry.verifyImage("app", version);
      expect(pushed.mediaType).toBe(mediaTypes.dockerManifest);
      // The configuration's digest is the image's name in docker.
      expect(pushed.digests).toContain(id as (typeof pushed.digests)[number]);
      await docker("rmi", "-f", id);
      const pulled = await docker("pull", image);
      expect(pulled).toContain(`Digest: ${pushed.digest}`);
      expect(await imageId(image)).toBe(id);
      expect(await run(image)).toBe(`version ${version}`);
      expect(await run(image, "openssl", "version")).toContain("OpenSSL");
      await docker("tag", image, `debian:${version}`);
    }
  });

  test("a push of what is there sends nothing; a pull by digest finds it", async () => {
    const digest = /digest: (\S+)/.exec(await push("debian:1", "again:1"))?.[1] ?? "none";
    const before = (await server.requests()).length;
    expect(await push("debian:1", "again:1")).toContain(digest);
    expect(uploadedBlobs((await server.requests()).slice(before), "again")).toEqual([]);
    expect(await docker("pull", name(`again@${digest}`))).toContain("Image is up to date");
    const missing = name(`again@sha256:${"0".repeat(64)}`);
    expect(await failure("pull", missing)).toMatch(/manifest unknown|not found/i);
  });

  test("a second repository gets its layers by mount", async () => {
    await push("debian:1", "team/source:1");
    const before = (await server.requests()).length;
    expect(await push("debian:1", "other-team/target:1")).toMatch(
      /Mounted from (team\/source|app)/,
    );
    const requests = (await server.requests()).slice(before);
    const layers = (await registry.verifyImage("other-team/target", "1")).digests.slice(2);
    expect(mountedBlobs(requests, "other-team/target").sort()).toEqual([...layers].sort());
    expect(uploadedBlobs(requests, "other-team/target").length).toBeLessThanOrEqual(1);
  });

  test("all tags of a repository in one push", async () => {
    for (const tag of ["a", "b", "c"]) await docker("tag", "debian:1", name(`all-tags:${tag}`));
    await docker("push", "--all-tags", name("all-tags"));
    expect(await registry.listTags("all-tags")).toEqual(["a", "b", "c"]);
  });

  test("images that others pushed: OCI, 46 layers, an index of architectures", async () => {
    const others = [
      ["debian", images.debianVersion1],
      ["tower", images.manyLayers],
      ["multi", images.multiArchitecture],
    ] as const;
    for (const [repository, source] of others) {
      await runCommand([
        ...["skopeo", "--insecure-policy", "copy", "--quiet", "--all", "--dest-tls-verify=false"],
        ...[
          "--dest-creds",
          `${server.credentials.accessKeyId}:${server.credentials.secretAccessKey}`,
        ],
        ...[source, `docker://${name(`others/${repository}:1`)}`],
      ]);
      const { digest } = await readLayoutImage(source);
      const pulled = await docker("pull", name(`others/${repository}:1`));
      expect(pulled).toContain(`Digest: ${digest}`);
    }
    expect(await run(name("others/debian:1"))).toBe("version 1");
    expect(await run(name("others/tower:1"), "/bin/busybox", "cat", "/layer-count")).toBe("45");
    expect(await run(name("others/multi:1"))).toBe("x86_64");
  });

  test("a manifest list made by docker itself", async () => {
    await push("debian:1", "list:one");
    await push("debian:2", "list:two");
    // The command line speaks to the registry itself here, and would try TLS first.
    const flags = ["manifest", "create", "--insecure", name("list:both")];
    await docker(...flags, name("list:one"), name("list:two"));
    await docker("manifest", "annotate", "--arch=arm64", name("list:both"), name("list:two"));
    const pushed = await docker("manifest", "push", "--insecure", name("list:both"));
    const image = await registry.verifyImage("list", "both");
    expect(pushed).toContain(image.digest);
    expect(image.mediaType).toBe(mediaTypes.dockerList);
    const inspected = await docker("manifest", "inspect", "--insecure", name("list:both"));
    expect(JSON.parse(inspected)).toMatchObject({ mediaType: mediaTypes.dockerList });
  });

  test("the same image from four pushes at once", async () => {
    await using empty = await startServer();
    await login(empty.host);
    const target = (n: number) => `${empty.host}/race-${n % 2}:${n}`;
    for (const n of [1, 2, 3, 4]) await docker("tag", "tower:1", target(n));
    await Promise.all([1, 2, 3, 4].map((n) => docker("push", target(n))));
    const pushed = connectRegistry(empty.endpoint, empty.authorization);
    const digests = await Promise.all(
      [1, 2, 3, 4].map(async (n) => (await pushed.verifyImage(`race-${n % 2}`, String(n))).digest),
    );
    expect(new Set(digests).size).toBe(1);
  });

  test("a push to a missing repository is refused clearly when that is switched off", async () => {
    await using strict = await startServer({
      flags: ["--set", "registry.creationTemplates=none"],
    });
    await login(strict.host);
    await docker("tag", "debian:1", `${strict.host}/missing:1`);
    expect(await failure("push", `${strict.host}/missing:1`)).toMatch(
      /does not exist|name unknown/,
    );
  });

  test("the server is killed in the middle of a push and comes back: the push succeeds", async () => {
    await using mortal = await startServer();
    await login(mortal.host);
    const image = `${mortal.host}/killed:1`;
    await docker("tag", "debian:2", image);
    const pushing = attemptCommand(["docker", "push", image], {
      environment: { ...home.environment, DOCKER_HOST: daemon.address },
    });
    // Its first layer takes seconds: docker compresses while it sends.
    await waitUntil("the first upload", () => mortal.log().includes("/v2/killed/blobs/uploads/"));
    await mortal.kill();
    await mortal.start();
    expect((await pushing).stdout).toContain("digest: sha256:");
    const pushed = connectRegistry(mortal.endpoint, mortal.authorization);
    expect((await pushed.verifyImage("killed", "1")).digests.length).toBe(5);
  });

  test("a pull goes on where the link broke", async () => {
    await push("debian:1", "interrupted:1");
    using proxy = await startCuttingProxy(server.host);
    await login(proxy.host);
    // docker would not fetch layers that it has: this test comes last.
    const ids = (await docker("images", "--quiet", "--no-trunc")).split("\n");
    await docker("rmi", "-f", ...new Set(ids));
    proxy.cutAfter(15 * 1024 ** 2);
    const before = (await server.requests()).length;
    await docker("pull", `${proxy.host}/interrupted:1`);
    expect(proxy.cuts).toBe(1);
    const resumed = partialReads((await server.requests()).slice(before), "interrupted");
    expect(resumed.length).toBeGreaterThan(0);
    expect(await run(`${proxy.host}/interrupted:1`)).toBe("version 1");
  });
});
