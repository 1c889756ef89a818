/** podman and buildah: images of their own storage, in every compression, whole and in part. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { mediaTypes } from "../../src/image/media-type.ts";
import { type ClientHome, clientHome } from "../support/client-home.ts";
import { attemptCommand, type CommandOptions, runCommand } from "../support/command.ts";
import { haveTestImages, imageToolsHint, type TestImages, testImages } from "../support/images.ts";
import { readLayoutImage } from "../support/oci-layout.ts";
import { connectRegistry, type RegistryConnection } from "../support/registry-connection.ts";
import { mountedBlobs, partialReads, uploadedBlobs } from "../support/request-log.ts";
import { requirement } from "../support/require.ts";
import { type ServerProcess, startServer } from "../support/server-process.ts";

// Images of a hundred megabytes on a busy machine.
setDefaultTimeout(120_000);

const have = (program: string) => Bun.which(program) !== null && process.getuid?.() === 0;
const available = [
  requirement("clients", have("podman"), "podman and root (apt-get install podman)"),
  requirement("clients", have("buildah"), "buildah and root (apt-get install buildah)"),
  requirement("clients", haveTestImages(), imageToolsHint),
].every(Boolean);

describe.skipIf(!available).each(["podman", "buildah"])("%s", (program) => {
  let images: TestImages;
  let server: ServerProcess;
  let registry: RegistryConnection;
  let home: ClientHome;

  beforeAll(async () => {
    images = await testImages();
    server = await startServer();
    registry = connectRegistry(server.endpoint, server.authorization);
    home = clientHome();
    expect((await login()).stdout).toContain("Login Succeeded!");
    await seed(images.debianVersion1, "debian:1");
    await seed(images.debianVersion2, "debian:2");
  }, 600_000);
  afterAll(async () => {
    await home?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  const options = (): CommandOptions => ({ environment: home.environment, timeoutSeconds: 300 });
  const client = async (verb: string, ...rest: string[]) =>
    (await runCommand([program, ...home.storage, verb, ...rest], options())).trim();
  const attempt = (verb: string, ...rest: string[]) =>
    attemptCommand([program, ...home.storage, verb, ...rest], options());
  const login = (secret = server.credentials.secretAccessKey) =>
    attempt(
      "login",
      "--tls-verify=false",
      "-u",
      server.credentials.accessKeyId,
      "-p",
      secret,
      server.host,
    );
  const push = (...rest: string[]) => client("push", "--tls-verify=false", ...rest);
  const pull = (...rest: string[]) => client("pull", "--tls-verify=false", ...rest);
  /** Into the storage, as `localhost/NAME`, without a registry. */
  const seed = async (source: string, name: string, ...flags: string[]) => {
    // podman and buildah could read the layout, but would name the image after its path.
    const [root, run] = home.storage.map((flag) => flag.replace(/^.*=/, ""));
    const target = `containers-storage:[${root}+${run}]localhost/${name}`;
    const command = ["skopeo", "--insecure-policy", ...flags, "copy", "--quiet", source, target];
    await runCommand(command, options());
    return `localhost/${name}`;
  };
  const remote = (name: string) => `${server.host}/${name}`;
  /** The configuration's digest, under which both keep an image. */
  const idOf = async (source: string) => {
    const { digests } = await readLayoutImage(source);
    return digests[1]?.replace("sha256:", "") ?? "none";
  };

  test("a wrong password is refused, and nothing is pushed without one", async () => {
    const refused = await login("wrong");
    expect(refused.exitCode).not.toBe(0);
    expect(refused.stderr).toMatch(/invalid username\/password|unauthorized/);
    const anonymous = await attempt(
      ...["push", "--tls-verify=false", `--authfile=${home.path}/none.json`],
      ...[await idOf(images.debianVersion1), remote("anonymous:1")],
    );
    expect(anonymous.exitCode).not.toBe(0);
    expect(await registry.findDigest("anonymous", "1")).toBeUndefined();
    expect((await login()).exitCode).toBe(0);
  });

  test("two versions: pushed, pulled again, with their files; the shared base is sent once", async () => {
    const ids = [await idOf(images.debianVersion1), await idOf(images.debianVersion2)];
    await push(ids[0] ?? "", remote("app:1"));
    const before = (await server.requests()).length;
    await push(ids[1] ?? "", remote("app:2"));
    // The package layer, the layer of the application, the configuration.
    const sent = uploadedBlobs((await server.requests()).slice(before), "app");
    expect(sent.length).toBe(3);
    await client("rmi", "--all", "--force");
    for (const [index, id] of ids.entries()) {
      const name = remote(`app:${index + 1}`);
      expect(await pull("--quiet", name)).toBe(id);
      const { digests, mediaType } = await registry.verifyImage("app", String(index + 1));
      expect(mediaType).toBe(mediaTypes.ociManifest);
      expect(digests[1]).toBe(`sha256:${id}`);
      expect(await readFile(name, "etc/application-version")).toBe(`version ${index + 1}\n`);
    }
  });

  /** A file of an image in the storage. */
  async function readFile(image: string, path: string): Promise<string> {
    const container = program === "buildah" ? await client("from", image) : image;
    const mount = program === "buildah" ? ["mount"] : ["image", "mount"];
    const [verb = "", ...rest] = mount;
    const root = (await client(verb, ...rest, container)).split("\n").at(-1) ?? "";
    const text = await Bun.file(join(root, path)).text();
    if (program === "buildah") await client("rm", container);
    else await client("image", "unmount", container);
    return text;
  }

  test("a second repository gets its layers by mount, a second push sends nothing", async () => {
    const id = await idOf(images.debianVersion1);
    await push(id, remote("team/source:1"));
    const before = (await server.requests()).length;
    await push(id, remote("other-team/target:1"));
    const requests = (await server.requests()).slice(before);
    expect(mountedBlobs(requests, "other-team/target").length).toBe(3);
    const again = (await server.requests()).length;
    await push(id, remote("other-team/target:1"));
    expect(uploadedBlobs((await server.requests()).slice(again), "other-team/target")).toEqual([]);
  });

  test.each([
    ["zstd", ["--compression-format=zstd"], mediaTypes.ociManifest],
    ["Docker schema 2", ["--format=v2s2"], mediaTypes.dockerManifest],
    ["OCI", ["--format=oci"], mediaTypes.ociManifest],
  ])("%s, pushed from the storage and pulled again", async (name, flags, mediaType) => {
    // A server that has none of the layers: otherwise both take what is there in place of what was
    // asked for, a gzip layer for a zstd one and the other way round.
    await using empty = await startServer();
    const target = connectRegistry(empty.endpoint, empty.authorization);
    const credentials = `--creds=${empty.credentials.accessKeyId}:${empty.credentials.secretAccessKey}`;
    const digestFile = join(home.path, "digest");
    const small = await seed(images.multiArchitecture, "small:1");
    await push(...flags, credentials, `--digestfile=${digestFile}`, small, `${empty.host}/form:1`);
    const image = await target.verifyImage("form", "1");
    expect(image.mediaType).toBe(mediaType);
    expect(await Bun.file(digestFile).text()).toBe(image.digest);
    const { bytes } = await target.getManifest("form", "1");
    const zstd = new TextDecoder().decode(bytes).includes("tar+zstd");
    expect(zstd).toBe(name === "zstd");
    await client("rmi", "--force", small);
    expect(await pull("--quiet", credentials, `${empty.host}/form@${image.digest}`)).not.toBe("");
  });

  test("an index made here, with images from the registry in it", async () => {
    for (const architecture of ["amd64", "arm64"]) {
      const flag = `--override-arch=${architecture}`;
      const image = await seed(images.multiArchitecture, `small-${architecture}:1`, flag);
      await push(image, remote(`list:${architecture}`));
    }
    await client("manifest", "create", "both");
    for (const architecture of ["amd64", "arm64"]) {
      const source = `docker://${remote(`list:${architecture}`)}`;
      await client("manifest", "add", "--tls-verify=false", "both", source);
    }
    const target = `docker://${remote("list:both")}`;
    await client("manifest", "push", "--tls-verify=false", "--all", "both", target);
    const image = await registry.verifyImage("list", "both");
    expect([mediaTypes.ociIndex, mediaTypes.dockerList] as string[]).toContain(image.mediaType);
    // Two images of a manifest, a configuration and a layer each, and the index.
    expect(image.digests.length).toBe(7);
    const arm = await pull("--quiet", "--arch=arm64", remote("list:both"));
    expect(arm).toBe(await pull("--quiet", remote("list:arm64")));
  });

  test("the same image from four pushes at once", async () => {
    await using empty = await startServer();
    const small = await seed(images.multiArchitecture, "small:1");
    const credentials = `${empty.credentials.accessKeyId}:${empty.credentials.secretAccessKey}`;
    await Promise.all(
      [1, 2, 3, 4].map((n) =>
        push(`--creds=${credentials}`, small, `${empty.host}/race-${n % 2}:${n}`),
      ),
    );
    const target = connectRegistry(empty.endpoint, empty.authorization);
    const digests = await Promise.all(
      [1, 2, 3, 4].map(async (n) => (await target.verifyImage(`race-${n % 2}`, String(n))).digest),
    );
    expect(new Set(digests).size).toBe(1);
  });

  if (program === "podman") {
    test("search lists the catalogue", async () => {
      await push(await idOf(images.debianVersion1), remote("found/by-search:1"));
      const found = await client(
        ...(["search", "--tls-verify=false", "--format={{.Name}}"] as const),
        remote("found"),
      );
      expect(found.split("\n")).toEqual([remote("found/by-search")]);
      const tags = await client(
        ...(["search", "--tls-verify=false", "--list-tags"] as const),
        remote("found/by-search"),
      );
      expect(tags).toMatch(/found\/by-search\s+1$/);
    });

    test("zstd:chunked: only the parts that are needed are fetched", async () => {
      await runCommand(
        [
          ...["skopeo", "--insecure-policy", "copy", "--quiet", "--dest-tls-verify=false"],
          ...[images.zstdChunked, `docker://${remote("chunked:1")}`],
        ],
        options(),
      );
      const configuration = join(home.path, "storage.conf");
      await Bun.write(
        configuration,
        `[storage]
driver = "overlay"
graphroot = "${join(home.path, "partial")}"
runroot = "${join(home.path, "partial-run")}"
[storage.options]
pull_options = { enable_partial_images = "true", use_hard_links = "false", ostree_repos = "" }
`,
      );
      const partial: CommandOptions = {
        environment: { ...home.environment, CONTAINERS_STORAGE_CONF: configuration },
      };
      const before = (await server.requests()).length;
      await runCommand(["podman", "pull", "--tls-verify=false", remote("chunked:1")], partial);
      const parts = partialReads((await server.requests()).slice(before), "chunked");
      expect(parts.length).toBeGreaterThan(0);
      const mounted = await runCommand(["podman", "image", "mount", remote("chunked:1")], partial);
      const busybox = Bun.file(join(mounted.trim(), "bin", "busybox"));
      expect(await busybox.exists()).toBe(true);
      expect(busybox.size).toBeGreaterThan(500_000);
      await runCommand(["podman", "image", "unmount", remote("chunked:1")], partial);
      await attemptCommand(["umount", join(home.path, "partial", "overlay")]);
    });
  }

  if (program === "buildah") {
    test("an image built on one from the registry", async () => {
      await push(await idOf(images.debianVersion1), remote("base:1"));
      const directory = join(home.path, "context");
      await Bun.write(
        join(directory, "Containerfile"),
        `FROM ${remote("base:1")}\nRUN openssl rand -hex 8 > /random\nCMD ["cat", "/random"]\n`,
      );
      await client("rmi", "--all", "--force");
      await client("bud", "--tls-verify=false", "--tag", remote("built:1"), directory);
      const before = (await server.requests()).length;
      await push(remote("built:1"));
      const requests = (await server.requests()).slice(before);
      expect(mountedBlobs(requests, "built").length).toBe(3);
      expect(uploadedBlobs(requests, "built").length).toBe(2);
      expect((await registry.verifyImage("built", "1")).digests.length).toBe(6);
    });
  }
});
