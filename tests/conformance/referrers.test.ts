/** Listing what refers to a manifest: order, filter, pages, and what never is an error. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { digestAlgorithms, digestOf } from "../../src/image/digest.ts";
import { mediaTypes } from "../../src/image/media-type.ts";
import {
  absentDigest,
  type Descriptor,
  descriptorOf,
  expectError,
  imageOf,
  indexOf,
  json,
  pushBlob,
  pushManifest,
} from "../support/content.ts";
import { openRegistry, type TestRegistry } from "../support/registry.ts";

// A busy machine takes its time; nothing here waits for a clock.
setDefaultTimeout(30_000);

interface Index {
  readonly schemaVersion: number;
  readonly mediaType: string;
  readonly manifests: readonly Descriptor[];
}

let registry: TestRegistry;
let config: Descriptor;
const repository = "team/app";
const sbom = "application/spdx+json";
beforeAll(async () => {
  registry = await openRegistry();
  config = {
    ...(await pushBlob(registry, repository, json({}))),
    mediaType: "application/x.config",
  };
});
afterAll(() => registry[Symbol.asyncDispose]());

const list = (subject: string, query = "", of = repository) =>
  registry.request("GET", `/v2/${of}/referrers/${subject}${query}`);

async function expectIndex(response: Response): Promise<readonly Descriptor[]> {
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe(mediaTypes.ociIndex);
  const index = (await response.json()) as Index;
  expect(index.schemaVersion).toBe(2);
  expect(index.mediaType).toBe(mediaTypes.ociIndex);
  return index.manifests;
}

/** A subject of its own, that need not exist. */
const subjectOf = (seed: string): Descriptor =>
  descriptorOf(new TextEncoder().encode(seed), mediaTypes.ociManifest);

function refer(subject: Descriptor, fields: object = {}, of = repository) {
  return pushManifest(registry, of, imageOf(config, [], { subject, ...fields }));
}

test.each([
  ["a repository that does not exist", "no/such"],
  ["a repository that does", repository],
])("of nothing in %s are an empty index", async (_what, of) => {
  for (const subject of [absentDigest, `sha512:${"0".repeat(128)}`]) {
    const response = await list(subject, "", of);
    expect(response.headers.has("oci-filters-applied")).toBe(false);
    expect(response.headers.has("link")).toBe(false);
    expect(await expectIndex(response)).toEqual([]);
  }
});

test.each(["sha256:bad", `sha256:${"A".repeat(64)}`, `blake3:${"a".repeat(64)}`, "latest", "%00"])(
  "of %s are 400",
  async (subject) => {
    await expectError(await list(subject), 400, "DIGEST_INVALID");
  },
);

test.each([...digestAlgorithms])(
  "are described as the specification says, %s",
  async (algorithm) => {
    const bytes = new TextEncoder().encode(`described ${algorithm}`);
    const subject = descriptorOf(bytes, mediaTypes.ociManifest, algorithm);
    const annotations = { "org.example.a": "ü", b: "" };
    const typed = await refer(subject, { artifactType: sbom, annotations });
    const byConfig = await refer(subject, { annotations: undefined });
    const index = await pushManifest(
      registry,
      repository,
      indexOf([], { subject, artifactType: sbom }),
      {
        mediaType: mediaTypes.ociIndex,
      },
    );
    const untyped = await pushManifest(registry, repository, indexOf([], { subject }), {
      mediaType: mediaTypes.ociIndex,
    });
    const expected = [
      { ...descriptorOf(typed.bytes, mediaTypes.ociManifest), artifactType: sbom, annotations },
      { ...descriptorOf(byConfig.bytes, mediaTypes.ociManifest), artifactType: config.mediaType },
      { ...descriptorOf(index.bytes, mediaTypes.ociIndex), artifactType: sbom },
      descriptorOf(untyped.bytes, mediaTypes.ociIndex),
    ].sort((a, b) => (a.digest < b.digest ? -1 : 1));
    expect(await expectIndex(await list(subject.digest))).toEqual(expected);
  },
);

describe("with a filter", () => {
  test("are those of the type, and the answer says so", async () => {
    const subject = subjectOf("filter");
    const wanted = await refer(subject, { artifactType: sbom });
    await refer(subject, { artifactType: "application/other" });
    for (const query of [`?artifactType=${sbom}`, `?artifactType=${encodeURIComponent(sbom)}`]) {
      const response = await list(subject.digest, query);
      expect(response.headers.get("oci-filters-applied")).toBe("artifactType");
      expect((await expectIndex(response)).map(({ digest }) => digest)).toEqual([wanted.digest]);
    }
    const byConfig = await list(subject.digest, `?artifactType=${config.mediaType}`);
    expect(await expectIndex(byConfig)).toEqual([]);
  });

  test.each(["nothing/has+it", "%00", "%ff", "'; drop table manifests; --"])(
    "that nothing meets (%s) are none",
    async (artifactType) => {
      const subject = subjectOf("filter none");
      await refer(subject, { artifactType: sbom });
      const response = await list(subject.digest, `?artifactType=${encodeURI(artifactType)}`);
      expect(response.headers.get("oci-filters-applied")).toBe("artifactType");
      expect(await expectIndex(response)).toEqual([]);
    },
  );

  test("of no text, and parameters that nobody knows, filter nothing", async () => {
    const subject = subjectOf("filter empty");
    await refer(subject, { artifactType: sbom });
    const response = await list(subject.digest, "?artifactType=&ns=docker.io&unknown=1");
    expect(response.headers.has("oci-filters-applied")).toBe(false);
    expect(await expectIndex(response)).toHaveLength(1);
  });
});

describe("in pages", () => {
  async function collect(subject: string, query = "") {
    const pages: (readonly Descriptor[])[] = [];
    for (let next: string | undefined = `/v2/${repository}/referrers/${subject}${query}`; next; ) {
      const response = await registry.request("GET", next);
      if (query !== "") expect(response.headers.get("oci-filters-applied")).toBe("artifactType");
      const body = response.clone();
      pages.push(await expectIndex(response));
      expect((await body.arrayBuffer()).byteLength).toBeLessThan(4 * 1024 * 1024);
      const link = response.headers.get("link");
      next = link === null ? undefined : /^<(\/v2\/[^>]+)>; rel="next"$/.exec(link)?.[1];
      if (link !== null) expect(next).toBeDefined();
      expect(pages.length).toBeLessThan(50);
    }
    return pages;
  }

  test("because they are large: all come, each once, and no page exceeds 4 MiB", async () => {
    const subject = subjectOf("large");
    const digests: string[] = [];
    for (let i = 0; i < 9; i++) {
      // Three bytes each in UTF-8.
      const annotations = { filler: "€".repeat(300_000), i: String(i) };
      digests.push((await refer(subject, { annotations, artifactType: sbom })).digest);
    }
    for (const query of ["", `?artifactType=${encodeURIComponent(sbom)}`]) {
      const pages = await collect(subject.digest, query);
      expect(pages.length).toBeGreaterThan(2);
      expect(pages.flat().map(({ digest }) => digest)).toEqual(digests.toSorted());
    }
  });

  test("because they are many: none is lost between pages and between readings", async () => {
    const subject = subjectOf("many");
    const rows = 1045;
    await registry.context.metadata.transaction(async (tx) => {
      const [{ id } = { id: 0 }] = await tx.all<{ id: number }>(
        "select id from repositories where name = $1",
        [repository],
      );
      for (let i = 0; i < rows; i++) {
        const digest = `sha256:${Bun.CryptoHasher.hash("sha256", String(i), "hex")}`;
        await tx.all(
          `insert into manifests (repository_id, digest, media_type, bytes, subject, pushed_at, origin)
           values ($1, $2, $3, $4, $5, 0, 'us-east-1')`,
          [id, digest, mediaTypes.ociManifest, new Uint8Array(2), subject.digest],
        );
      }
    });
    const pages = await collect(subject.digest);
    expect(pages.map((page) => page.length)).toEqual([1000, 45]);
    const digests = pages.flat().map(({ digest }) => digest);
    expect(digests).toEqual([...new Set(digests)].toSorted());
    expect(digests).toHaveLength(rows);
  });

  test("whose cursor is malformed are 400", async () => {
    await expectError(await list(absentDigest, "?cursor=x"), 400, "DIGEST_INVALID");
  });
});

test("are of their own repository only", async () => {
  const subject = subjectOf("isolated");
  await pushBlob(registry, "team/other", json({}));
  await refer(subject, {}, "team/other");
  expect(await expectIndex(await list(subject.digest))).toEqual([]);
  expect(await expectIndex(await list(subject.digest, "", "team/other"))).toHaveLength(1);
});

test("are listed under their own subject, not under the subject's subject", async () => {
  const root = subjectOf("root");
  const signature = await refer(root, { artifactType: "application/signature" });
  const below = await refer(descriptorOf(signature.bytes, mediaTypes.ociManifest));
  const digests = async (subject: string) =>
    (await expectIndex(await list(subject))).map(({ digest }) => digest as string);
  expect(await digests(root.digest)).toEqual([signature.digest]);
  expect(await digests(signature.digest)).toEqual([below.digest]);
});

test("vanish when they are deleted, and outlive their subject", async () => {
  const image = await pushManifest(registry, repository, imageOf(config, [], { x: "subject" }));
  const subject = descriptorOf(image.bytes, mediaTypes.ociManifest);
  const kept = await refer(subject, { artifactType: "a/kept" });
  const gone = await refer(subject, { artifactType: "a/gone" });
  const remove = (digest: string) =>
    registry.request("DELETE", `/v2/${repository}/manifests/${digest}`);
  expect((await remove(gone.digest)).status).toBe(202);
  expect((await remove(subject.digest)).status).toBe(202);
  const left = await expectIndex(await list(subject.digest));
  expect(left.map(({ digest }) => digest as string)).toEqual([kept.digest]);
});

test("a fallback tag is a tag, not the digest that it is named after", async () => {
  const image = await pushManifest(registry, repository, imageOf(config, [], { x: "fallback" }));
  const tag = image.digest.replace(":", "-");
  const missing = await registry.request("GET", `/v2/${repository}/manifests/${tag}`);
  await expectError(missing, 404, "MANIFEST_UNKNOWN");
  const fallback = await pushManifest(registry, repository, indexOf([], { x: "fallback" }), {
    reference: tag,
    mediaType: mediaTypes.ociIndex,
  });
  const pulled = await registry.request("GET", `/v2/${repository}/manifests/${tag}`);
  expect(pulled.headers.get("docker-content-digest")).toBe(digestOf(fallback.bytes));
  expect(await expectIndex(await list(image.digest))).toEqual([]);
});
