/** Manifests that are refused, each with its code and its reason, and what is left then: nothing. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { digestAlgorithms, digestOf } from "../../src/image/digest.ts";
import { mediaTypes } from "../../src/image/media-type.ts";
import { putTagMutability } from "../../src/registry/put-tag-mutability.ts";
import {
  absentDigest,
  bytesOf,
  type Descriptor,
  descriptorOf,
  expectError,
  imageOf,
  indexOf,
  json,
  pushBlob,
  pushManifest,
  putManifest,
} from "../support/content.ts";
import { openRegistry, type TestRegistry } from "../support/registry.ts";

// A busy machine takes its time; nothing here waits for a clock.
setDefaultTimeout(30_000);

let registry: TestRegistry;
let config: Descriptor;
let layer: Descriptor;
const repository = "team/app";
beforeAll(async () => {
  registry = await openRegistry();
  const configType = "application/vnd.oci.image.config.v1+json";
  config = { ...(await pushBlob(registry, repository, json({}))), mediaType: configType };
  layer = await pushBlob(registry, repository, bytesOf("layer"));
  await pushBlob(registry, repository, new Uint8Array());
});
afterAll(() => registry[Symbol.asyncDispose]());

const get = (reference: string, headers: Record<string, string> = {}) =>
  registry.request("GET", `/v2/${repository}/manifests/${reference}`, { headers });
const head = (reference: string) =>
  registry.request("HEAD", `/v2/${repository}/manifests/${reference}`);
const put = (reference: string, value: unknown, mediaType: string | null, query = "") =>
  putManifest(registry, repository, reference, json(value), { mediaType, query });

const image = (fields: object = {}) => imageOf(config, [layer], fields);

describe("a manifest is refused", () => {
  test("under a digest that is not its own", async () => {
    const value = image({ x: "wrong digest" });
    for (const algorithm of digestAlgorithms) {
      const wrong = digestOf(bytesOf("other"), algorithm);
      const error = await expectError(
        await put(wrong, value, mediaTypes.ociManifest),
        400,
        "DIGEST_INVALID",
      );
      expect(error.detail).toEqual({ expected: wrong, actual: digestOf(json(value), algorithm) });
    }
    expect((await head(digestOf(json(value)))).status).toBe(404);
  });

  test.each([
    "sha256:baddigeststring",
    `sha256:${"A".repeat(64)}`,
    `blake3:${"a".repeat(64)}`,
    ":",
  ])("under the digest %s", async (digest) => {
    await expectError(await put(digest, image(), mediaTypes.ociManifest), 400, "DIGEST_INVALID");
    await expectError(await get(digest), 400, "DIGEST_INVALID");
  });

  test.each(["-a", ".a", "a%20b", "a".repeat(129), "%C3%A4", "a%2Bb"])(
    "under the tag %s",
    async (tag) => {
      const error = await expectError(
        await put(tag, image(), mediaTypes.ociManifest),
        400,
        "TAG_INVALID",
      );
      expect(error.detail).toEqual({ tag: decodeURIComponent(tag) });
    },
  );

  test("when it names what is not here, digest by digest", async () => {
    const missing = [absentDigest, `sha256:${"1".repeat(64)}`];
    const layers = missing.map((digest) => ({ ...layer, digest }));
    for (const [value, mediaType] of [
      [image({ layers: [layer, ...layers] }), mediaTypes.ociManifest],
      [indexOf(layers), mediaTypes.ociIndex],
      [
        indexOf(layers.map((l) => ({ ...l, mediaType: mediaTypes.ociManifest }))),
        mediaTypes.ociIndex,
      ],
    ] as const) {
      const response = await put("incomplete", value, mediaType);
      expect(response.status).toBe(400);
      const { errors } = (await response.json()) as { errors: object[] };
      expect(errors).toEqual(
        missing.map((digest) =>
          expect.objectContaining({ code: "MANIFEST_BLOB_UNKNOWN", detail: { digest } }),
        ),
      );
    }
    await expectError(await get("incomplete"), 404, "MANIFEST_UNKNOWN");
  });

  test("when an image manifest names a manifest as its layer", async () => {
    const { bytes } = await pushManifest(registry, repository, image({ x: "as a layer" }));
    const layers = [descriptorOf(bytes, mediaTypes.ociManifest)];
    await expectError(
      await put("layered", image({ layers }), mediaTypes.ociManifest),
      400,
      "MANIFEST_BLOB_UNKNOWN",
    );
  });

  test.each([
    [
      mediaTypes.dockerSchema1,
      { schemaVersion: 1, name: "a", tag: "b", fsLayers: [], history: [] },
    ],
    [mediaTypes.dockerSchema1Signed, { schemaVersion: 1, signatures: [] }],
    ["application/json", { schemaVersion: 1, fsLayers: [] }],
  ])("as schema 1 (%s), with advice", async (type, value) => {
    const error = await expectError(await put("old", value, type), 400, "MANIFEST_INVALID");
    expect(error.message).toContain("schema 1 is not supported");
  });

  test("when mediaType and Content-Type differ", async () => {
    const error = await expectError(
      await put("differs", image(), mediaTypes.dockerManifest),
      400,
      "MANIFEST_INVALID",
    );
    expect(error.message).toContain("differs from the Content-Type");
  });

  test("as another type than the same bytes are stored as", async () => {
    const value = indexOf([], { mediaType: undefined, x: "two types" });
    expect((await put("two-types", value, mediaTypes.ociIndex)).status).toBe(201);
    const error = await expectError(
      await put("two-types", value, mediaTypes.dockerList),
      400,
      "MANIFEST_INVALID",
    );
    expect(error.message).toContain(`as '${mediaTypes.ociIndex}'`);
    expect((await get("two-types")).headers.get("content-type")).toBe(mediaTypes.ociIndex);
  });

  test.each(["a/b\u00e9", "a b/c", "a".repeat(300)])("with the Content-Type %p", async (type) => {
    await expectError(await put("typed", { a: 1 }, type), 400, "MANIFEST_INVALID");
  });

  test("when it is larger than the limit: by its announcement and by its bytes", async () => {
    const limit = registry.context.settings.manifestBytesLimit;
    const bytes = new Uint8Array(limit + 1).fill(0x20);
    const announced = await registry.request("PUT", `/v2/${repository}/manifests/huge`, {
      body: bytes,
      headers: { "Content-Length": String(bytes.byteLength) },
    });
    await expectError(announced, 413, "MANIFEST_INVALID");
    await expectError(
      await putManifest(registry, repository, "huge", bytes),
      413,
      "MANIFEST_INVALID",
    );
  });

  test("when the repository is not created by pushes", async () => {
    await using own = await openRegistry({ settings: { createRepositoryOnPush: false } });
    const response = await putManifest(own, "a", "b", json(indexOf([])), {
      mediaType: mediaTypes.ociIndex,
    });
    await expectError(response, 404, "NAME_UNKNOWN");
  });
});

test("a tag that may not be moved is TAG_INVALID, in ECR's words", async () => {
  const own = "team/immutable";
  await pushBlob(registry, own, json({}));
  const push = (fields: object) =>
    putManifest(registry, own, "1", json(imageOf(config, [], fields)));
  expect((await push({})).status).toBe(201);
  await putTagMutability(
    registry.context,
    { account: "111122223333", repository: own, actor: "test" },
    { tagMutability: "IMMUTABLE", exclusionFilters: [] },
  );
  expect((await push({})).status).toBe(201);
  const error = await expectError(await push({ annotations: { a: "b" } }), 400, "TAG_INVALID");
  expect(error.message).toBe(
    "The image tag '1' already exists in the 'team/immutable' repository and cannot be overwritten because the repository is immutable.",
  );
});

test("what is not here is MANIFEST_UNKNOWN, with what was asked for", async () => {
  for (const reference of ["nothing", absentDigest, "UPPER"]) {
    const error = await expectError(await get(reference), 404, "MANIFEST_UNKNOWN");
    expect(error.detail).toMatchObject({ repository, reference });
  }
  const unknown = await registry.request("GET", "/v2/no/such/manifests/latest");
  await expectError(unknown, 404, "NAME_UNKNOWN");
});
