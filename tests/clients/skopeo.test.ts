/** skopeo, the client that does one thing per command: every form of a push and of a pull. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { mediaTypes } from "../../src/image/media-type.ts";
import { type ClientHome, clientHome } from "../support/client-home.ts";
import { attemptCommand, runCommand } from "../support/command.ts";
import { haveTestImages, imageToolsHint, type TestImages, testImages } from "../support/images.ts";
import { readLayoutImage } from "../support/oci-layout.ts";
import { connectRegistry, type RegistryConnection } from "../support/registry-connection.ts";
import { mountedBlobs, uploadedBlobs } from "../support/request-log.ts";
import { requirement } from "../support/require.ts";
import { type ServerProcess, startServer } from "../support/server-process.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

// Images of a hundred megabytes on a busy machine.
setDefaultTimeout(120_000);

const available = [
  requirement("clients", Bun.which("skopeo") !== null, "skopeo (apt-get install skopeo)"),
  requirement("clients", haveTestImages(), imageToolsHint),
].every(Boolean);

describe.skipIf(!available)("skopeo", () => {
  let images: TestImages;
  let server: ServerProcess;
  let registry: RegistryConnection;
  let home: ClientHome;

  beforeAll(async () => {
    images = await testImages();
    server = await startServer();
    registry = connectRegistry(server.endpoint, server.authorization);
    home = clientHome();
    await skopeo("login", "--tls-verify=false", ...password(server), server.host);
  }, 600_000);
  afterAll(async () => {
    await home?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  const skopeo = (...command: string[]) =>
    runCommand(["skopeo", "--insecure-policy", ...command], { environment: home.environment });
  const attempt = (...command: string[]) =>
    attemptCommand(["skopeo", "--insecure-policy", ...command], { environment: home.environment });
  const copy = (source: string, target: string, ...flags: string[]) =>
    skopeo(
      "copy",
      "--quiet",
      "--src-tls-verify=false",
      "--dest-tls-verify=false",
      ...flags,
      source,
      target,
    );
  const remote = (name: string) => `docker://${server.host}/${name}`;

  /** What the server holds is what lies on the disk, digest by digest. */
  async function expectSameImage(source: string, repository: string, reference: string) {
    const expected = await readLayoutImage(source);
    const actual = await registry.verifyImage(repository, reference);
    expect(actual.digest).toBe(expected.digest);
    expect(actual.mediaType).toBe(expected.mediaType);
    expect([...actual.digests].sort()).toEqual([...expected.digests].sort());
  }

  test("login: the right password is taken, a wrong one and a wrong user are not", async () => {
    const login = (...credentials: string[]) =>
      attempt(
        "login",
        "--tls-verify=false",
        `--authfile=${home.path}/try.json`,
        ...credentials,
        server.host,
      );
    expect((await login(...password(server))).stdout).toContain("Login Succeeded");
    for (const credentials of [
      ["-u", server.credentials.accessKeyId, "-p", "wrong"],
      ["-u", "AKIANOBODY0000000000", "-p", server.credentials.secretAccessKey],
    ]) {
      const refused = await login(...credentials);
      expect(refused.exitCode).not.toBe(0);
      expect(refused.stderr).toMatch(/invalid username\/password|unauthorized/);
    }
    const anonymous = await attempt("inspect", "--tls-verify=false", "--no-creds", remote("any:1"));
    expect(anonymous.exitCode).not.toBe(0);
    expect(anonymous.stderr).toMatch(/authentication required|unauthorized/);
  });

  test("two versions: byte for byte, the shared base is sent once, pulls give the same", async () => {
    await copy(images.debianVersion1, remote("debian:1"));
    await expectSameImage(images.debianVersion1, "debian", "1");
    const before = (await server.requests()).length;
    await copy(images.debianVersion2, remote("debian:2"));
    await expectSameImage(images.debianVersion2, "debian", "2");
    const first = await readLayoutImage(images.debianVersion1);
    const second = await readLayoutImage(images.debianVersion2);
    const fresh = second.digests.filter((digest) => !first.digests.includes(digest)).slice(1);
    const sent = uploadedBlobs((await server.requests()).slice(before), "debian");
    expect(sent.sort()).toEqual(fresh.sort());

    using directory = temporaryDirectory();
    for (const reference of [":2", `@${second.digest}`]) {
      const target = `oci:${join(directory.path, "pulled")}:2`;
      await copy(remote(`debian${reference}`), target);
      expect((await readLayoutImage(target)).digests).toEqual(second.digests);
    }
  });

  test("a push of what is there sends nothing and changes nothing", async () => {
    await copy(images.debianVersion1, remote("again:1"));
    const before = (await server.requests()).length;
    await copy(images.debianVersion1, remote("again:1"));
    await copy(images.debianVersion1, remote("again:other-tag"));
    const requests = (await server.requests()).slice(before);
    expect(uploadedBlobs(requests, "again")).toEqual([]);
    const { digest } = await readLayoutImage(images.debianVersion1);
    expect(await registry.findDigest("again", "1")).toBe(digest);
    expect(await registry.findDigest("again", "other-tag")).toBe(digest);
  });

  test("a second repository gets its layers by mount", async () => {
    await copy(images.debianVersion1, remote("team/source:1"));
    const before = (await server.requests()).length;
    await copy(remote("team/source:1"), remote("other-team/target:1"));
    const requests = (await server.requests()).slice(before);
    const [, config, ...layers] = (await readLayoutImage(images.debianVersion1)).digests;
    expect(mountedBlobs(requests, "other-team/target").sort()).toEqual(layers.sort());
    // skopeo has the configuration in hand and sends it.
    expect(uploadedBlobs(requests, "other-team/target")).toEqual([config ?? "none"]);
    await expectSameImage(images.debianVersion1, "other-team/target", "1");
  });

  test("an index with both architectures, and one of them", async () => {
    await copy(images.multiArchitecture, remote("multi:all"), "--all");
    await expectSameImage(images.multiArchitecture, "multi", "all");
    using directory = temporaryDirectory();
    const all = `oci:${join(directory.path, "all")}:1`;
    await copy(remote("multi:all"), all, "--all");
    const expected = await readLayoutImage(images.multiArchitecture);
    expect((await readLayoutImage(all)).digests).toEqual(expected.digests);
    const arm = await skopeo(
      ...["--override-arch=arm64", "inspect", "--tls-verify=false", remote("multi:all")],
    );
    expect(JSON.parse(arm)).toMatchObject({ Architecture: "arm64" });
  });

  test.each([
    ["zstd", "zstd"],
    ["zstd:chunked", "zstdChunked"],
    ["46 layers", "manyLayers"],
  ] as const)("%s", async (name, image) => {
    const repository = name.replaceAll(/[^a-z0-9]/g, "-");
    await copy(images[image], remote(`${repository}:1`));
    await expectSameImage(images[image], repository, "1");
    using directory = temporaryDirectory();
    const target = `oci:${join(directory.path, "pulled")}:1`;
    await copy(remote(`${repository}:1`), target);
    const { digests } = await readLayoutImage(images[image]);
    expect((await readLayoutImage(target)).digests).toEqual(digests);
  });

  test("Docker schema 2 keeps its type, schema 1 is refused with a reason", async () => {
    await copy(images.debianVersion1, remote("docker/schema2:1"), "--format", "v2s2");
    const image = await registry.verifyImage("docker/schema2", "1");
    expect(image.mediaType).toBe(mediaTypes.dockerManifest);
    const raw = await skopeo("inspect", "--tls-verify=false", "--raw", remote("docker/schema2:1"));
    const { bytes } = await registry.getManifest("docker/schema2", "1");
    expect(raw).toBe(new TextDecoder().decode(bytes));

    const refused = await attempt(
      ...["copy", "--dest-tls-verify=false", "--format", "v2s1"],
      ...[images.debianVersion1, remote("docker/schema1:1")],
    );
    expect(refused.exitCode).not.toBe(0);
    expect(refused.stderr).toContain("schema 1 is not supported");
    expect(await registry.findDigest("docker/schema1", "1")).toBeUndefined();
  });

  test("inspect and list-tags", async () => {
    await copy(images.multiArchitecture, remote("inspected:2"));
    await copy(images.multiArchitecture, remote("inspected:10"));
    await copy(images.multiArchitecture, remote("inspected:Latest"));
    const listed = JSON.parse(
      await skopeo("list-tags", "--tls-verify=false", remote("inspected")),
    ) as { Tags: string[] };
    expect(listed.Tags).toEqual(["10", "2", "Latest"]);
    const inspected = JSON.parse(
      await skopeo("inspect", "--tls-verify=false", remote("inspected:2")),
    ) as { Digest: string; RepoTags: string[] };
    expect(inspected.Digest).toBe((await registry.findDigest("inspected", "2")) ?? "none");
    expect(inspected.RepoTags).toEqual(listed.Tags);
    const missing = await attempt("inspect", "--tls-verify=false", remote("inspected:missing"));
    expect(missing.stderr).toContain("manifest unknown");
  });

  test("delete goes by digest: it takes the sibling tags along, and no other image", async () => {
    await copy(images.debianVersion1, remote("deleted:1"));
    await copy(images.debianVersion1, remote("deleted:1-sibling"));
    await copy(images.debianVersion2, remote("deleted:2"));
    await skopeo("delete", "--tls-verify=false", remote("deleted:1"));
    expect(await registry.listTags("deleted")).toEqual(["2"]);
    await expectSameImage(images.debianVersion2, "deleted", "2");
    const again = await attempt("delete", "--tls-verify=false", remote("deleted:1"));
    expect(again.exitCode).not.toBe(0);
  });

  test("the same image from four clients at once, to one tag and to four repositories", async () => {
    // A server that no push has reached: all of them upload, none finds a blob to mount.
    await using empty = await startServer();
    const names = [1, 2, 3, 4].flatMap((n) => ["race:same", `race-${n}:1`]);
    await Promise.all(
      names.map((name) =>
        copy(
          images.debianVersion2,
          `docker://${empty.host}/${name}`,
          `--dest-creds=${credentials(empty)}`,
        ),
      ),
    );
    const { digest, digests } = await readLayoutImage(images.debianVersion2);
    const target = connectRegistry(empty.endpoint, empty.authorization);
    for (const name of names) {
      const [repository = "", tag = ""] = name.split(":");
      const pushed = await target.verifyImage(repository, tag);
      expect(pushed.digest).toBe(digest);
      expect([...pushed.digests].sort()).toEqual([...digests].sort());
    }
  });

  test("a push to a missing repository creates it, unless that is switched off", async () => {
    const name = "created/by/a/push";
    await copy(images.multiArchitecture, remote(`${name}:1`));
    expect(await registry.listTags(name)).toEqual(["1"]);
    await using strict = await startServer({
      flags: ["--set", "registry.creationTemplates=none"],
    });
    const refused = await attempt(
      ...["copy", "--dest-tls-verify=false", "--dest-creds", credentials(strict)],
      ...[images.multiArchitecture, `docker://${strict.host}/${name}:1`],
    );
    expect(refused.exitCode).not.toBe(0);
    expect(refused.stderr).toMatch(/name unknown|does not exist/i);
    const answer = await connectRegistry(strict.endpoint, strict.authorization).send(
      "GET",
      `/v2/${name}/tags/list`,
    );
    expect(answer.status).toBe(404);
  });

  test("sync of a whole repository from one server to another", async () => {
    await copy(images.debianVersion1, remote("synced:1"));
    await copy(images.multiArchitecture, remote("synced:multi"), "--all");
    await using second = await startServer();
    await skopeo(
      ...["sync", "--all", "--src=docker", "--dest=docker"],
      ...["--src-tls-verify=false", "--dest-tls-verify=false"],
      ...["--dest-creds", credentials(second), `${server.host}/synced`, second.host],
    );
    const target = connectRegistry(second.endpoint, second.authorization);
    for (const tag of ["1", "multi"]) {
      const copied = await target.verifyImage("synced", tag);
      expect(copied).toEqual(await registry.verifyImage("synced", tag));
    }
  });
});

function credentials({ credentials: { accessKeyId, secretAccessKey } }: ServerProcess): string {
  return `${accessKeyId}:${secretAccessKey}`;
}

function password({ credentials: { accessKeyId, secretAccessKey } }: ServerProcess): string[] {
  return ["-u", accessKeyId, "-p", secretAccessKey];
}
