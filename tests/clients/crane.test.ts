/** crane, the command line of go-containerregistry, which kaniko, ko and many tools are made with. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { type ClientHome, clientHome } from "../support/client-home.ts";
import { attemptCommand, runCommand } from "../support/command.ts";
import { haveTestImages, imageToolsHint, type TestImages, testImages } from "../support/images.ts";
import { readLayoutImage } from "../support/oci-layout.ts";
import { connectRegistry, type RegistryConnection } from "../support/registry-connection.ts";
import { mountedBlobs, uploadedBlobs } from "../support/request-log.ts";
import { requirement } from "../support/require.ts";
import { type ServerProcess, startServer } from "../support/server-process.ts";
import { findTool } from "../support/tools.ts";

// Images of a hundred megabytes on a busy machine.
setDefaultTimeout(120_000);

const program = findTool("crane");
const available = [
  requirement(
    "crane",
    program !== undefined,
    "crane (go install github.com/google/go-containerregistry/cmd/crane@latest)",
  ),
  requirement("clients", haveTestImages(), imageToolsHint),
].every(Boolean);

describe.skipIf(!available)("crane", () => {
  let images: TestImages;
  let server: ServerProcess;
  let registry: RegistryConnection;
  let home: ClientHome;

  beforeAll(async () => {
    images = await testImages();
    server = await startServer();
    registry = connectRegistry(server.endpoint, server.authorization);
    home = clientHome();
    await login(server);
  }, 600_000);
  afterAll(async () => {
    await home?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  const crane = async (...command: string[]) =>
    (await runCommand([program ?? "", ...command], { environment: home.environment })).trim();
  const attempt = (...command: string[]) =>
    attemptCommand([program ?? "", ...command], { environment: home.environment });
  const login = ({ host, credentials }: ServerProcess) =>
    crane("auth", "login", host, "-u", credentials.accessKeyId, "-p", credentials.secretAccessKey);
  const name = (image: string) => `${server.host}/${image}`;
  const directoryOf = (image: string) => image.replace(/^oci:/, "").replace(/:[^:]+$/, "");

  test("the wrong password is refused", async () => {
    await crane("auth", "login", "127.0.0.1:1", "-u", "nobody", "-p", "wrong");
    const environment = { ...home.environment, DOCKER_CONFIG: join(home.path, "elsewhere") };
    const refused = await attemptCommand([program ?? "", "ls", name("any")], { environment });
    expect(refused.exitCode).not.toBe(0);
    expect(refused.stderr).toContain("UNAUTHORIZED");
  });

  test("push, pull, digest, manifest, validate: the bytes stay what they were", async () => {
    const expected = await readLayoutImage(images.manyLayers);
    await crane("push", directoryOf(images.manyLayers), name("pushed:1"));
    expect(await crane("digest", name("pushed:1"))).toBe(expected.digest);
    const { bytes } = await registry.getManifest("pushed", "1");
    expect(await crane("manifest", name(`pushed@${expected.digest}`))).toBe(
      new TextDecoder().decode(bytes).trim(),
    );
    await crane("validate", "--remote", name("pushed:1"));
    const target = join(home.path, "pulled");
    await crane("pull", "--format=oci", name("pushed:1"), target);
    const blob = join(target, "blobs", "sha256", expected.digest.slice(7));
    expect(await Bun.file(blob).bytes()).toEqual(bytes);
    const layer = expected.digests.at(-1) ?? expected.digest;
    const command = `"${program}" blob ${name(`pushed@${layer}`)} | sha256sum`;
    const sum = await runCommand(["bash", "-c", command], { environment: home.environment });
    expect(`sha256:${sum.split(" ")[0]}`).toBe(layer);
  });

  test("zstd", async () => {
    await crane("push", directoryOf(images.zstd), name("zstd:1"));
    const { digest } = await readLayoutImage(images.zstd);
    expect((await registry.verifyImage("zstd", "1")).digest).toBe(digest);
    expect(await crane("digest", name("zstd:1"))).toBe(digest);
  });

  test("an index", async () => {
    const expected = await readLayoutImage(images.multiArchitecture);
    const directory = directoryOf(images.multiArchitecture);
    await crane("push", "--index", directory, name("multi:layout"));
    // crane pushes the layout's own index, in which the image is the only entry.
    const pushed = await registry.verifyImage("multi", "layout");
    expect(pushed.digests).toEqual(expect.arrayContaining([...expected.digests]));
    await crane("copy", name(`multi@${expected.digest}`), name("multi:1"));
    expect((await registry.verifyImage("multi", "1")).digest).toBe(expected.digest);
    const configuration = await crane("config", "--platform=linux/arm64", name("multi:1"));
    expect(JSON.parse(configuration)).toMatchObject({ architecture: "arm64" });
    await crane("validate", "--remote", name("multi:1"));
  });

  test("copy into a second repository mounts, a second push sends nothing", async () => {
    await crane("push", directoryOf(images.manyLayers), name("team/source:1"));
    const before = (await server.requests()).length;
    await crane("copy", name("team/source:1"), name("other-team/target:1"));
    const requests = (await server.requests()).slice(before);
    const [, ...blobs] = (await readLayoutImage(images.manyLayers)).digests;
    expect(mountedBlobs(requests, "other-team/target").sort()).toEqual(blobs.sort());
    expect(uploadedBlobs(requests, "other-team/target")).toEqual([]);
    const again = (await server.requests()).length;
    await crane("push", directoryOf(images.manyLayers), name("team/source:1"));
    expect(uploadedBlobs((await server.requests()).slice(again), "team/source")).toEqual([]);
  });

  test("tags, the catalogue, and deletes", async () => {
    await crane("push", directoryOf(images.manyLayers), name("tagged/image:a"));
    await crane("tag", name("tagged/image:a"), "b");
    expect(await crane("ls", name("tagged/image"))).toBe("a\nb");
    expect((await crane("catalog", server.host)).split("\n")).toContain("tagged/image");
    const { digest } = await readLayoutImage(images.manyLayers);
    await crane("delete", name(`tagged/image@${digest}`));
    expect(await registry.listTags("tagged/image")).toEqual([]);
    const gone = await attempt("digest", name("tagged/image:a"));
    expect(gone.stderr).toContain("404 Not Found");
    const never = await attempt("ls", name("never/pushed"));
    expect(never.stderr).toContain("NAME_UNKNOWN");
  });

  test("append a layer, change the configuration, export the files", async () => {
    await crane("push", directoryOf(images.zstdChunked), name("changed:1"));
    const text = join(home.path, "added-by-crane");
    await Bun.write(text, "hello\n");
    const archive = join(home.path, "layer.tar");
    await runCommand(["tar", "-C", home.path, "-cf", archive, "added-by-crane"]);
    await crane("append", "-b", name("changed:1"), "-f", archive, "-t", name("changed:2"));
    await crane("mutate", name("changed:2"), "--label=made-by=crane", "-t", name("changed:3"));
    const configuration = JSON.parse(await crane("config", name("changed:3")));
    expect(configuration.config.Labels).toMatchObject({ "made-by": "crane" });
    const exported = join(home.path, "exported.tar");
    await crane("export", name("changed:3"), exported);
    expect(await runCommand(["tar", "-xOf", exported, "added-by-crane"])).toBe("hello\n");
  });

  test("the same image from four pushes at once", async () => {
    await using empty = await startServer();
    await login(empty);
    const directory = directoryOf(images.manyLayers);
    await Promise.all(
      [1, 2, 3, 4].map((n) => crane("push", directory, `${empty.host}/race-${n % 2}:${n}`)),
    );
    const { digest } = await readLayoutImage(images.manyLayers);
    const target = connectRegistry(empty.endpoint, empty.authorization);
    for (const n of [1, 2, 3, 4]) {
      expect((await target.verifyImage(`race-${n % 2}`, String(n))).digest).toBe(digest);
    }
  });
});
