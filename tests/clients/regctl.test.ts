/** regctl: referrers, sha512, deletes of single tags, and copies with everything that belongs to an image. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { mediaTypes } from "../../src/image/media-type.ts";
import { type ClientHome, clientHome } from "../support/client-home.ts";
import { attemptCommand, runCommand } from "../support/command.ts";
import { haveTestImages, imageToolsHint, type TestImages, testImages } from "../support/images.ts";
import { readLayoutImage } from "../support/oci-layout.ts";
import { connectRegistry, type RegistryConnection } from "../support/registry-connection.ts";
import { mountedBlobs } from "../support/request-log.ts";
import { requirement } from "../support/require.ts";
import { type ServerProcess, startServer } from "../support/server-process.ts";
import { findTool } from "../support/tools.ts";

// Images of a hundred megabytes on a busy machine.
setDefaultTimeout(120_000);

const program = findTool("regctl");
const available = [
  requirement(
    "regctl",
    program !== undefined,
    "regctl (go install github.com/regclient/regclient/cmd/regctl@latest)",
  ),
  requirement("clients", haveTestImages(), imageToolsHint),
].every(Boolean);

describe.skipIf(!available)("regctl", () => {
  let images: TestImages;
  let server: ServerProcess;
  let registry: RegistryConnection;
  let home: ClientHome;

  beforeAll(async () => {
    images = await testImages();
    server = await startServer();
    registry = connectRegistry(server.endpoint, server.authorization);
    home = clientHome();
  }, 600_000);
  afterAll(async () => {
    await home?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  const hostFlag = (password = server.credentials.secretAccessKey) =>
    `--host=reg=${server.host},tls=disabled,user=${server.credentials.accessKeyId},pass=${password}`;
  const regctl = async (...command: string[]) =>
    (
      await runCommand([program ?? "", hostFlag(), ...command], { environment: home.environment })
    ).trim();
  const attempt = (...command: string[]) =>
    attemptCommand([program ?? "", ...command], { environment: home.environment });
  const name = (image: string) => `${server.host}/${image}`;
  const layout = (image: string) => image.replace(/^oci:/, "ocidir://");
  const copy = (...command: string[]) => regctl("image", "copy", ...command);

  test("the wrong password is refused", async () => {
    const refused = await attempt(hostFlag("wrong"), "tag", "ls", name("any"));
    expect(refused.exitCode).not.toBe(0);
    expect(refused.stderr).toMatch(/unauthorized/i);
  });

  test("copies from a layout and back, byte for byte", async () => {
    for (const image of [images.debianVersion1, images.multiArchitecture, images.zstd]) {
      const expected = await readLayoutImage(image);
      await copy(layout(image), name("copied:1"));
      const pushed = await registry.verifyImage("copied", "1");
      expect(pushed.digest).toBe(expected.digest);
      expect([...pushed.digests].sort()).toEqual([...expected.digests].sort());
      const back = join(home.path, "back");
      await copy(name(`copied@${expected.digest}`), `ocidir://${back}:1`);
      expect((await readLayoutImage(`oci:${back}:1`)).digests).toEqual(expected.digests);
    }
  });

  test("artifacts that refer to an image: list, filter, get, copy along, delete", async () => {
    await copy(layout(images.multiArchitecture), name("signed:1"));
    const subject = (await readLayoutImage(images.multiArchitecture)).digest;
    const document = join(home.path, "sbom.json");
    await Bun.write(document, '{"spdxVersion":"SPDX-2.3"}\n');
    const attach = (type: string) =>
      regctl(
        ...["artifact", "put", "--subject", name("signed:1"), "--artifact-type", type],
        ...["--annotation", "org.example.made-by=regctl", "--file", document],
        ...["--format", "{{.Manifest.GetDescriptor.Digest}}"],
      );
    const bill = await attach("application/spdx+json");
    const signature = await attach("application/vnd.example.signature");

    const referrers = await registry.listReferrers("signed", subject);
    expect(referrers.map(({ digest }) => digest as string).sort()).toEqual(
      [bill, signature].sort(),
    );
    expect(referrers.map(({ annotations }) => annotations?.["org.example.made-by"])).toEqual([
      "regctl",
      "regctl",
    ]);
    // A registry without referrers would have got a tag that stands for their list.
    expect(await registry.listTags("signed")).toEqual(["1"]);
    const filtered = await regctl(
      ...["artifact", "list", name("signed:1"), "--filter-artifact-type=application/spdx+json"],
      ...["--format", "{{range .Descriptors}}{{.Digest}}{{end}}"],
    );
    expect(filtered).toBe(bill);
    const content = await regctl(
      ...["artifact", "get", "--subject", name("signed:1")],
      "--filter-artifact-type=application/spdx+json",
    );
    expect(content).toBe('{"spdxVersion":"SPDX-2.3"}');

    const before = (await server.requests()).length;
    await copy("--referrers", name("signed:1"), name("elsewhere/signed:1"));
    const copied = await registry.listReferrers("elsewhere/signed", subject);
    expect(copied.map(({ digest }) => digest as string).sort()).toEqual([bill, signature].sort());
    const requests = (await server.requests()).slice(before);
    expect(mountedBlobs(requests, "elsewhere/signed").length).toBeGreaterThan(0);

    await regctl("manifest", "delete", name(`signed@${bill}`));
    const left = await registry.listReferrers("signed", subject);
    expect(left.map(({ digest }) => digest as string)).toEqual([signature]);
  });

  test("sha512 all through", async () => {
    await copy(layout(images.multiArchitecture), name("sha512:source"));
    await regctl(
      "image",
      "mod",
      name("sha512:source"),
      "--digest-algo=sha512",
      "--create",
      name("sha512:1"),
    );
    const digest = await regctl("image", "digest", name("sha512:1"));
    expect(digest).toStartWith("sha512:");
    const image = await registry.verifyImage("sha512", digest);
    expect(image.digests.filter((one) => one.startsWith("sha512:")).length).toBe(7);
    const back = join(home.path, "sha512");
    await copy(name(`sha512@${digest}`), `ocidir://${back}:1`);
    expect((await readLayoutImage(`oci:${back}:1`)).digest as string).toBe(digest);
  });

  test("a tag is deleted alone, a digest with all its tags", async () => {
    await copy(layout(images.zstdChunked), name("deleted:1"));
    await copy(name("deleted:1"), name("deleted:2"));
    await regctl("tag", "delete", name("deleted:1"));
    expect(await regctl("tag", "ls", name("deleted"))).toBe("2");
    await registry.verifyImage("deleted", "2");
    const { digest } = await readLayoutImage(images.zstdChunked);
    await regctl("manifest", "delete", name(`deleted@${digest}`));
    expect(await registry.listTags("deleted")).toEqual([]);
    expect((await regctl("repo", "ls", server.host)).split("\n")).toContain("deleted");
  });

  test("an index and a Docker list, made here", async () => {
    await copy(layout(images.multiArchitecture), name("made:source"));
    for (const mediaType of [mediaTypes.ociIndex, mediaTypes.dockerList]) {
      await regctl(
        ...["index", "create", name("made:index"), "--media-type", mediaType],
        ...["--ref", name("made:source"), "--platform=linux/amd64", "--platform=linux/arm64"],
      );
      const image = await registry.verifyImage("made", "index");
      expect(image.mediaType).toBe(mediaType);
      expect(image.digests.length).toBe(7);
    }
    await regctl("index", "create", name("made:empty"));
    expect((await registry.verifyImage("made", "empty")).digests.length).toBe(1);
  });

  test("a large blob in chunks of one mebibyte", async () => {
    const expected = await readLayoutImage(images.debianVersion1);
    // Another server: this one has the blobs, and would mount them.
    await using empty = await startServer();
    const { accessKeyId, secretAccessKey } = empty.credentials;
    const environment = { ...home.environment, REGCTL_CONFIG: join(home.path, "regctl.json") };
    const run = (...command: string[]) => runCommand([program ?? "", ...command], { environment });
    await run(
      ...["registry", "set", empty.host, "--tls=disabled", "--skip-check"],
      ...["--blob-chunk=1048576", "--blob-max=2097152"],
    );
    await run("registry", "login", empty.host, "-u", accessKeyId, "-p", secretAccessKey);
    await run("image", "copy", layout(images.debianVersion1), `${empty.host}/chunks:1`);
    const patches = (await empty.requests()).filter(
      ({ method, path }) => method === "PATCH" && path.startsWith("/v2/chunks/"),
    );
    expect(patches.length).toBeGreaterThan(20);
    const pushed = connectRegistry(empty.endpoint, empty.authorization);
    expect((await pushed.verifyImage("chunks", "1")).digest).toBe(expected.digest);
  });
});
