/** Pushing and pulling manifests of every kind. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { digestAlgorithms, digestOf } from "../../src/image/digest.ts";
import { mediaTypes } from "../../src/image/media-type.ts";
import {
  absentDigest,
  bodyOf,
  bytesOf,
  type Descriptor,
  descriptorOf,
  emptyDigest,
  expectError,
  imageOf,
  indexOf,
  json,
  locationOf,
  pushBlob,
  pushImage,
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

async function expectServed(reference: string, bytes: Uint8Array, mediaType: string) {
  const digest = reference.includes(":") ? reference : digestOf(bytes);
  for (const response of [await get(reference), await head(reference)]) {
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe(mediaType);
    expect(response.headers.get("content-length")).toBe(String(bytes.byteLength));
    expect(response.headers.get("docker-content-digest")).toBe(digest);
    expect(response.headers.get("etag")).toBe(`"${digest}"`);
  }
  expect(Buffer.compare(await bodyOf(await get(reference)), bytes)).toBe(0);
  expect(await bodyOf(await head(reference))).toHaveLength(0);
}

/** Every kind that must be taken, as `[media type, manifest]`. */
function kindsOf(config: Descriptor, layer: Descriptor): Record<string, readonly [string, object]> {
  const dockerLayer = {
    ...layer,
    mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip",
  };
  const docker = {
    schemaVersion: 2,
    mediaType: mediaTypes.dockerManifest,
    config: { ...config, mediaType: "application/vnd.docker.container.image.v1+json" },
    layers: [dockerLayer],
  };
  const { ociManifest, ociIndex, dockerManifest, dockerList, ociArtifact } = mediaTypes;
  const foreign = {
    mediaType: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
    digest: absentDigest,
    size: 5,
    urls: ["https://example.test/layer"],
  };
  return {
    "an OCI image": [ociManifest, imageOf(config, [layer], { x: "image" })],
    "an image without layers": [ociManifest, imageOf(config, [layer], { layers: [] })],
    "an image whose layer is empty": [
      ociManifest,
      imageOf(config, [layer], { layers: [{ ...layer, digest: emptyDigest, size: 0 }] }),
    ],
    "an image with the same layer twice": [
      ociManifest,
      imageOf(config, [layer], { layers: [layer, layer] }),
    ],
    "an image without mediaType": [ociManifest, imageOf(config, [layer], { mediaType: undefined })],
    "a Docker image": [dockerManifest, docker],
    "a Docker image with a foreign layer": [
      dockerManifest,
      { ...docker, layers: [foreign, dockerLayer] },
    ],
    "a nondistributable layer": [
      ociManifest,
      imageOf(config, [layer], {
        layers: [
          {
            ...layer,
            mediaType: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
            digest: absentDigest,
          },
        ],
      }),
    ],
    "an artifact with a type": [
      ociManifest,
      imageOf(config, [layer], {
        artifactType: "application/vnd.example.sbom",
        annotations: { a: "b" },
      }),
    ],
    "an artifact whose config has the type": [
      ociManifest,
      imageOf(config, [layer], {
        config: { ...config, mediaType: "application/vnd.example.config" },
      }),
    ],
    "an image with data in its descriptors": [
      ociManifest,
      imageOf(config, [layer], { config: { ...config, data: btoa("{}") } }),
    ],
    "an image with fields that nobody knows": [
      ociManifest,
      imageOf(config, [layer], { "org.example.custom": { a: [1, 2.5, null] }, z: true }),
    ],
    "an image whose subject is missing": [
      ociManifest,
      imageOf(config, [layer], {
        subject: { ...layer, mediaType: ociManifest, digest: absentDigest },
      }),
    ],
    "an index without children": [ociIndex, indexOf([])],
    "an index of blobs, as old build caches are": [
      ociIndex,
      indexOf([layer, { ...config, mediaType: "application/vnd.buildkit.cacheconfig.v0" }]),
    ],
    "an index with an artifactType, a subject and annotations": [
      ociIndex,
      indexOf([], {
        artifactType: "application/vnd.example",
        subject: { mediaType: ociManifest, digest: absentDigest, size: 1 },
        annotations: { a: "b" },
      }),
    ],
    "a Docker list": [dockerList, { schemaVersion: 2, mediaType: dockerList, manifests: [] }],
    "the artifact manifest of 1.1-rc": [
      ociArtifact,
      { mediaType: ociArtifact, artifactType: "a/b", blobs: [layer] },
    ],
    "a type that nobody knows": ["application/vnd.example.manifest.v9+json", { anything: [1] }],
    "a build cache's config": [
      ociManifest,
      imageOf(config, [layer], {
        config: { ...config, mediaType: "application/vnd.buildkit.cacheconfig.v0" },
      }),
    ],
  };
}

describe("is pushed and pulled by tag and by digest", () => {
  // The names must be known before the registry is open.
  const placeholder: Descriptor = { mediaType: "", digest: "", size: 0 };
  const names = Object.keys(kindsOf(placeholder, placeholder));
  for (const name of names) {
    test(name, async () => {
      const [mediaType, value] = kindsOf(config, layer)[name] ?? ["", {}];
      const bytes = json(value);
      const tag = `kind-${names.indexOf(name)}`;
      const response = await put(tag, value, mediaType);
      expect(`${response.status} ${await response.text()}`).toBe("201 ");
      const digest = digestOf(bytes);
      expect(response.headers.get("docker-content-digest")).toBe(digest);
      expect(locationOf(response)).toBe(`/v2/${repository}/manifests/${digest}`);
      await expectServed(tag, bytes, mediaType);
      await expectServed(digest, bytes, mediaType);
      const again = await put(digest, value, mediaType);
      expect(again.status).toBe(201);
    });
  }

  test.each([...digestAlgorithms])("an index of images of its own, with %s", async (algorithm) => {
    const children = await Promise.all(
      ["amd64", "arm64"].map((architecture) =>
        pushImage(registry, repository, `${algorithm} ${architecture}`),
      ),
    );
    const manifests: object[] = children.map(({ bytes }, i) => ({
      ...descriptorOf(bytes, mediaTypes.ociManifest),
      platform: { os: "linux", architecture: ["amd64", "arm64"][i] },
    }));
    const nested = await pushManifest(registry, repository, indexOf(manifests), {
      mediaType: mediaTypes.ociIndex,
    });
    manifests.push(descriptorOf(nested.bytes, mediaTypes.ociIndex));
    const bytes = json(indexOf(manifests, { algorithm }));
    const digest = digestOf(bytes, algorithm);
    const response = await putManifest(registry, repository, digest, bytes, {
      mediaType: mediaTypes.ociIndex,
    });
    expect(response.status).toBe(201);
    await expectServed(digest, bytes, mediaTypes.ociIndex);
  });

  test("an image of sha512 blobs, and of both kinds", async () => {
    const other = await pushBlob(registry, repository, bytesOf("sha512"), "sha512");
    for (const layers of [[other], [layer, other]]) {
      const response = await put("mixed", image({ layers }), mediaTypes.ociManifest);
      expect(response.status).toBe(201);
    }
  });

  test("a large one, just below the limit", async () => {
    const { manifestBytesLimit } = registry.context.settings;
    const base = image({ annotations: { filler: "" } });
    const filler = "x".repeat(manifestBytesLimit - json(base).byteLength);
    const bytes = json(image({ annotations: { filler } }));
    expect(bytes.byteLength).toBe(manifestBytesLimit);
    const response = await putManifest(registry, repository, "large", bytes);
    expect(response.status).toBe(201);
    await expectServed("large", bytes, mediaTypes.ociManifest);
  });

  test.each([
    "application/vnd.oci.image.manifest.v1+json; charset=utf-8",
    "application/vnd.oci.image.manifest.v1+json;x=y",
  ])("with the Content-Type %s: its parameters are dropped", async (contentType) => {
    const value = image({ contentType });
    expect((await put("parameters", value, contentType)).status).toBe(201);
    await expectServed("parameters", json(value), mediaTypes.ociManifest);
  });

  test("without a Content-Type: the content tells", async () => {
    for (const [value, mediaType] of [
      [image({ x: 1 }), mediaTypes.ociManifest],
      [image({ x: 2, mediaType: undefined }), mediaTypes.ociManifest],
      [indexOf([]), mediaTypes.ociIndex],
      [indexOf([], { mediaType: undefined }), mediaTypes.ociIndex],
    ] as const) {
      expect((await put("untyped", value, null)).status).toBe(201);
      await expectServed("untyped", json(value), mediaType);
    }
  });
});

describe("is answered whatever Accept says", () => {
  test.each([
    "*/*",
    "application/json",
    "text/html",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.index.v1+json;q=0.9, */*;q=0.1",
    "",
  ])("%p", async (accept) => {
    const { bytes, digest } = await pushManifest(registry, repository, image({ accept }));
    const response = await get(digest, { Accept: accept, "Accept-Encoding": "gzip" });
    expect(response.headers.get("content-type")).toBe(mediaTypes.ociManifest);
    expect(response.headers.get("content-encoding")).toBeNull();
    expect(await bodyOf(response)).toEqual(bytes);
  });

  test("but If-None-Match is 304", async () => {
    const { digest } = await pushManifest(registry, repository, image(), { reference: "matched" });
    for (const method of ["GET", "HEAD"]) {
      const response = await registry.request(method, `/v2/${repository}/manifests/matched`, {
        headers: { "If-None-Match": `"${digest}"` },
      });
      expect(response.status).toBe(304);
      expect(response.headers.get("docker-content-digest")).toBe(digest);
      expect(await bodyOf(response)).toHaveLength(0);
    }
    expect((await get("matched", { "If-None-Match": `"${absentDigest}"` })).status).toBe(200);
  });
});

describe("OCI-Subject", () => {
  const subject = () => ({ mediaType: mediaTypes.ociManifest, digest: absentDigest, size: 2 });

  test("names the subject of an image and of an index, by tag and by digest, again and again", async () => {
    for (const [value, mediaType] of [
      [image({ subject: subject() }), mediaTypes.ociManifest],
      [indexOf([], { subject: subject() }), mediaTypes.ociIndex],
    ] as const) {
      for (const reference of ["with-subject", digestOf(json(value)), "with-subject"]) {
        const response = await put(reference, value, mediaType);
        expect(response.headers.get("oci-subject")).toBe(absentDigest);
      }
    }
  });

  test("is absent without a subject", async () => {
    const response = await put("without-subject", image(), mediaTypes.ociManifest);
    expect(response.headers.has("oci-subject")).toBe(false);
  });
});

describe("tag parameters", () => {
  const pulled = async (tag: string) => (await get(tag)).headers.get("docker-content-digest");

  test.each([...digestAlgorithms])("tag a push by %s", async (algorithm) => {
    const bytes = json(image({ tagged: algorithm }));
    const digest = digestOf(bytes, algorithm);
    const tags = Array.from({ length: 12 }, (_, i) => `${algorithm}-${i}`);
    const response = await putManifest(registry, repository, digest, bytes, {
      query: `?${tags.map((tag) => `tag=${tag}`).join("&")}`,
    });
    expect(response.status).toBe(201);
    expect(response.headers.get("oci-tag")?.split(", ")).toEqual(tags);
    for (const tag of tags) expect(await pulled(tag)).toBe(digest);
  });

  test("name a tag once, however often it is given", async () => {
    const bytes = json(image({ tagged: "twice" }));
    const response = await putManifest(registry, repository, digestOf(bytes), bytes, {
      query: "?tag=twice&tag=twice",
    });
    expect(response.headers.get("oci-tag")).toBe("twice");
  });

  test("one that is malformed refuses the push, and sets none", async () => {
    const bytes = json(image({ tagged: "badly" }));
    const response = await putManifest(registry, repository, digestOf(bytes), bytes, {
      query: "?tag=good-one&tag=-bad",
    });
    await expectError(response, 400, "TAG_INVALID");
    expect((await get("good-one")).status).toBe(404);
    expect((await get(digestOf(bytes))).status).toBe(404);
  });

  test("more than a hundred are 414", async () => {
    const bytes = json(image());
    const query = `?${Array.from({ length: 101 }, (_, i) => `tag=t${i}`).join("&")}`;
    await expectError(
      await putManifest(registry, repository, digestOf(bytes), bytes, { query }),
      414,
      "TAG_INVALID",
    );
  });
});

test("a tag moves at once, also to another media type", async () => {
  const first = await pushManifest(registry, repository, image({ x: "old" }), {
    reference: "moves",
  });
  const second = await pushManifest(registry, repository, indexOf([], { x: "new" }), {
    reference: "moves",
    mediaType: mediaTypes.ociIndex,
  });
  await expectServed("moves", second.bytes, mediaTypes.ociIndex);
  await expectServed(first.digest, first.bytes, mediaTypes.ociManifest);
});

test("foreign layers are a warning in the form of the specification", async () => {
  const layers = [{ ...layer, digest: absentDigest, urls: ["https://example.test/"] }];
  const response = await put("warned", image({ layers }), mediaTypes.ociManifest);
  const warning = response.headers.get("warning") ?? "";
  expect(warning).toMatch(/^299 - "[^"\\\r\n]+"$/);
  expect(warning.length).toBeLessThanOrEqual(4096);
  const clean = await put("clean", image(), mediaTypes.ociManifest);
  expect(clean.headers.has("warning")).toBe(false);
});

test("tags differ in capitals", async () => {
  const lower = await pushManifest(registry, repository, image({ x: "l" }), { reference: "case" });
  const upper = await pushManifest(registry, repository, image({ x: "u" }), { reference: "CASE" });
  await expectServed("case", lower.bytes, mediaTypes.ociManifest);
  await expectServed("CASE", upper.bytes, mediaTypes.ociManifest);
});
