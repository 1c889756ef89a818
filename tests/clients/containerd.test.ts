/** containerd and its client `ctr`: Kubernetes' way to pull. Debian's version, and a newer one if found. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { runCommand } from "../support/command.ts";
import {
  type Containerd,
  type ContainerdPrograms,
  startContainerd,
} from "../support/containerd.ts";
import { startCuttingProxy } from "../support/cutting-proxy.ts";
import { haveTestImages, imageToolsHint, type TestImages, testImages } from "../support/images.ts";
import { readLayoutImage } from "../support/oci-layout.ts";
import { connectRegistry, type RegistryConnection } from "../support/registry-connection.ts";
import { mountedBlobs, partialReads, uploadedBlobs } from "../support/request-log.ts";
import { requirement } from "../support/require.ts";
import { type ServerProcess, startServer } from "../support/server-process.ts";
import { findTool } from "../support/tools.ts";

// Images of a hundred megabytes on a busy machine.
setDefaultTimeout(120_000);

const have = Bun.which("containerd") !== null && process.getuid?.() === 0;
const available = [
  requirement("clients", have, "containerd and root (apt-get install containerd)"),
  requirement("clients", haveTestImages(), imageToolsHint),
].every(Boolean);

const programs = new Map<string, ContainerdPrograms>();
for (const find of [(name: string) => Bun.which(name) ?? undefined, findTool]) {
  const containerd = find("containerd");
  const ctr = find("ctr");
  if (containerd !== undefined && ctr !== undefined) programs.set(containerd, { containerd, ctr });
}
const versions = [...programs.values()].map((found, index) => ({
  name: index === 0 ? "containerd" : "containerd of PORTOLAN_TOOLS",
  ...found,
}));

describe.skipIf(!available).each(versions)("$name", ({ containerd, ctr }) => {
  let images: TestImages;
  let server: ServerProcess;
  let registry: RegistryConnection;
  let client: Containerd;

  beforeAll(async () => {
    images = await testImages();
    server = await startServer();
    registry = connectRegistry(server.endpoint, server.authorization);
    client = await startContainerd({ containerd, ctr });
  }, 600_000);
  afterAll(async () => {
    await client?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  const credentials = (of: ServerProcess = server) =>
    `${of.credentials.accessKeyId}:${of.credentials.secretAccessKey}`;
  const flags = (user = credentials()) => ["--plain-http", "--user", user];
  const name = (image: string) => `${server.host}/${image}`;
  const ctrImages = (verb: string, ...rest: string[]) => client.ctr("images", verb, ...rest);
  const push = (target: string, ...rest: string[]) =>
    ctrImages("push", ...flags(), ...rest, target);
  const pull = (source: string, ...rest: string[]) =>
    ctrImages("pull", ...flags(), ...rest, source);
  const remove = (image: string) => ctrImages("rm", "--sync", image);

  /** Through the server: containerd has no other way to get a layout. */
  const seed = (source: string, image: string) =>
    runCommand([
      ...["skopeo", "--insecure-policy", "copy", "--quiet", "--all", "--dest-tls-verify=false"],
      ...["--dest-creds", credentials(), source, `docker://${name(image)}`],
    ]);

  test("a wrong password and no password are refused", async () => {
    await seed(images.multiArchitecture, "secret:1");
    const wrong = client.ctr(
      ...["images", "pull", ...flags(`${server.credentials.accessKeyId}:wrong`), name("secret:1")],
    );
    expect(await wrong.catch(String)).toMatch(/401 Unauthorized|authorization failed/i);
    const none = client.ctr("images", "pull", "--plain-http", name("secret:1"));
    expect(await none.catch(String)).toMatch(
      /401 Unauthorized|authorization failed|no basic auth/i,
    );
  });

  test.each([
    ["two versions", "debianVersion1"],
    ["the second version", "debianVersion2"],
    ["zstd", "zstd"],
    ["46 layers", "manyLayers"],
  ] as const)("%s: pulled and pushed byte for byte", async (_, image) => {
    const source = `source/${image.toLowerCase()}:1`;
    const target = `target/${image.toLowerCase()}:1`;
    await seed(images[image], source);
    await pull(name(source));
    const { digest, digests } = await readLayoutImage(images[image]);
    expect(await ctrImages("ls", `name==${name(source)}`)).toContain(digest);
    await ctrImages("tag", name(source), name(target));
    await push(name(target));
    const [repository = "", tag = ""] = target.split(":");
    const pushed = await registry.verifyImage(repository, tag);
    expect(pushed.digest).toBe(digest);
    expect([...pushed.digests].sort()).toEqual([...digests].sort());
  });

  test("an index: all of it, and one architecture", async () => {
    await seed(images.multiArchitecture, "multi:1");
    await pull(name("multi:1"), "--all-platforms");
    const expected = await readLayoutImage(images.multiArchitecture);
    await ctrImages("tag", name("multi:1"), name("multi-copy:1"));
    await push(name("multi-copy:1"));
    const pushed = await registry.verifyImage("multi-copy", "1");
    expect([...pushed.digests].sort()).toEqual([...expected.digests].sort());

    await pull(name("multi@") + expected.digest, "--platform=linux/arm64");
    expect(await ctrImages("ls", `name==${name("multi@")}${expected.digest}`)).toContain(
      "linux/arm64",
    );
  });

  test("layers that came from one repository are mounted into another", async () => {
    await seed(images.debianVersion1, "team/source:1");
    await pull(name("team/source:1"));
    await ctrImages("tag", name("team/source:1"), name("other-team/target:1"));
    const before = (await server.requests()).length;
    await push(name("other-team/target:1"));
    const requests = (await server.requests()).slice(before);
    const [, ...blobs] = (await readLayoutImage(images.debianVersion1)).digests;
    expect(mountedBlobs(requests, "other-team/target").sort()).toEqual(blobs.sort());
    expect(uploadedBlobs(requests, "other-team/target")).toEqual([]);
    const again = (await server.requests()).length;
    await push(name("other-team/target:1"));
    expect(uploadedBlobs((await server.requests()).slice(again), "other-team/target")).toEqual([]);
  });

  test("a pull goes on where the link broke", async () => {
    await seed(images.debianVersion1, "interrupted:1");
    // containerd would not fetch layers that it has.
    for (const image of (await ctrImages("ls", "--quiet")).split("\n")) await remove(image);
    using proxy = await startCuttingProxy(server.host);
    proxy.cutAfter(15 * 1024 ** 2);
    const source = `${proxy.host}/interrupted:1`;
    const before = (await server.requests()).length;
    await pull(source);
    expect(proxy.cuts).toBe(1);
    const requests = (await server.requests()).slice(before);
    expect(partialReads(requests, "interrupted").length).toBeGreaterThan(0);
    const { digest } = await readLayoutImage(images.debianVersion1);
    expect(await ctrImages("ls", `name==${source}`)).toContain(digest);
    expect(await ctrImages("check", `name==${source}`)).toContain("complete (4/4)");
  });

  test("the same image from four pushes at once", async () => {
    await seed(images.manyLayers, "race-source:1");
    await pull(name("race-source:1"));
    await using empty = await startServer();
    const targets = [1, 2, 3, 4].map((n) => `${empty.host}/race-${n % 2}:${n}`);
    for (const target of targets) await ctrImages("tag", name("race-source:1"), target);
    await Promise.all(
      targets.map((target) => ctrImages("push", ...flags(credentials(empty)), target)),
    );
    const { digest } = await readLayoutImage(images.manyLayers);
    const pushed = connectRegistry(empty.endpoint, empty.authorization);
    for (const n of [1, 2, 3, 4]) {
      expect((await pushed.verifyImage(`race-${n % 2}`, String(n))).digest).toBe(digest);
    }
  });

  test("a push to a missing repository is refused clearly when that is switched off", async () => {
    await seed(images.multiArchitecture, "strict-source:1");
    await pull(name("strict-source:1"));
    await using strict = await startServer({
      flags: ["--set", "registry.creationTemplates=none"],
    });
    const target = `${strict.host}/missing:1`;
    await ctrImages("tag", name("strict-source:1"), target);
    const refused = ctrImages("push", ...flags(credentials(strict)), target).catch(String);
    expect(await refused).toMatch(/404 Not Found|not found|does not exist/);
  });
});
