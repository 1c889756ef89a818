/**
 * The forty-four compatibility pitfalls that other registries and their users fell into, each as a
 * regression test with the issue that it comes from: 23 to 44, clients and listings. Where one concerns a part that
 * does not exist yet, the name says what is promised until then.
 */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { digestOf } from "../../src/image/digest.ts";
import { mediaTypes } from "../../src/image/media-type.ts";
import { expireUploads } from "../../src/registry/expire-uploads.ts";
import {
  absentDigest,
  beginUpload,
  bodyOf,
  bytesOf,
  type Descriptor,
  descriptorOf,
  expectError,
  imageOf,
  indexOf,
  json,
  locationOf,
  pushBlob,
  pushImage,
  pushManifest,
  putManifest,
  withQuery,
} from "../support/content.ts";
import { openRegistry } from "../support/registry.ts";
import { type ServedRegistry, serveRegistry } from "../support/served-registry.ts";

// A busy machine takes its time; nothing here waits for a clock.
setDefaultTimeout(30_000);

let registry: ServedRegistry;
let config: Descriptor;
let layer: Descriptor;
beforeAll(async () => {
  registry = await serveRegistry({ storage: "disk" });
  config = await pushBlob(registry, "p", json({}));
  layer = await pushBlob(registry, "p", bytesOf("layer", 1000));
});
afterAll(async () => {
  expect(registry.escaped).toEqual([]);
  await registry[Symbol.asyncDispose]();
});

const image = (fields: object = {}) => imageOf(config, [layer], fields);
const put = (reference: string, value: unknown, mediaType: string = mediaTypes.ociManifest) =>
  putManifest(registry, "p", reference, json(value), { mediaType });
const fetchOf = (method: string, path: string, headers: Record<string, string> = {}) =>
  registry.fetch(method, `/v2/p/${path}`, { headers });
const times = <T>(count: number, work: (i: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, i) => work(i)));

const push = (repository: string, bytes: Uint8Array) =>
  registry.fetch("POST", `/v2/${repository}/blobs/uploads/?digest=${digestOf(bytes)}`, {
    body: bytes,
  });

test("pitfall 23: a base URL makes them absolute, for clients that do not resolve them (apple/swift-container-plugin#44)", async () => {
  const locationBaseUrl = "https://registry.example.test";
  await using own = await openRegistry({ ociSettings: { locationBaseUrl } });
  expect(await beginUpload(own, "a")).toStartWith(`${locationBaseUrl}/v2/a/blobs/uploads/`);
});

test("pitfall 24: every success has its Location, and the last PUT's is the blob (containers/image#756)", async () => {
  const bytes = bytesOf("pitfall 24");
  const location = await beginUpload(registry, "p");
  for (const response of [
    await registry.fetch("PATCH", location, { body: bytes }),
    await registry.fetch("GET", location),
  ]) {
    expect(locationOf(response)).toBe(location);
  }
  const digest = digestOf(bytes);
  const ended = await registry.fetch("PUT", withQuery(location, `digest=${digest}`));
  expect(locationOf(ended)).toBe(`/v2/p/blobs/${digest}`);
  expect((await registry.fetch("GET", locationOf(ended))).status).toBe(200);
});

test("pitfall 25: /v2/ challenges whoever comes without credentials (podman-container-tools/container-libs#1009)", async () => {
  const response = await registry.fetch("GET", "/v2/", { anonymous: true });
  expect(response.status).toBe(401);
  expect(response.headers.get("www-authenticate")).toStartWith('Basic realm="http://');
});

test("pitfall 26, until there is a token endpoint: Basic credentials cover both repositories of a mount (cesanta/docker_auth#67)", async () => {
  const { digest } = await pushBlob(registry, "p26/source", bytesOf("pitfall 26"));
  const path = `/v2/p26/target/blobs/uploads/?mount=${digest}&from=p26/source`;
  expect((await registry.fetch("POST", path)).status).toBe(201);
});

test("pitfall 27, until there are tokens: who may push a blob is asked for a right of its own to look for it (distribution/distribution#2932)", async () => {
  const asked: string[] = [];
  await using own = await openRegistry({ allows: (action) => asked.push(action) > 0 });
  await own.request("HEAD", `/v2/a/blobs/${absentDigest}`);
  // ECR's own action for it, which its push policies contain.
  expect(asked).toEqual(["ecr:BatchCheckLayerAvailability"]);
});

test("pitfall 28: Bearer is not advertised, as there is no token endpoint (go-gitea/gitea#34610)", async () => {
  const response = await registry.fetch("GET", "/v2/token", { anonymous: true });
  expect(response.status).toBe(401);
  expect(response.headers.get("www-authenticate")).not.toContain("Bearer");
});

test("pitfall 29: referrers of what does not exist are an empty index (quay/quay#3071)", async () => {
  for (const repository of ["p", "no/such"]) {
    const response = await registry.fetch("GET", `/v2/${repository}/referrers/${absentDigest}`);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual(indexOf([]));
  }
});

test("pitfall 30: the tag sha256-<hex> is not the digest sha256:<hex> (oras-project/oras-go#1396)", async () => {
  const { digest } = await pushManifest(registry, "p", image({ pitfall: 30 }));
  expect((await fetchOf("GET", `manifests/${digest.replace(":", "-")}`)).status).toBe(404);
});

test("pitfall 31: the referrers API exists, so that no client asks for a fallback tag (google/go-containerregistry#1647)", async () => {
  const subject = { ...layer, mediaType: mediaTypes.ociManifest, digest: absentDigest };
  const pushed = await put("referrer", image({ subject }));
  expect(pushed.headers.get("oci-subject")).toBe(absentDigest);
  const list = await fetchOf("GET", `referrers/${absentDigest}`);
  expect(((await list.json()) as { manifests: [] }).manifests).toHaveLength(1);
});

test("pitfall 32: DELETE of a manifest, also of an old fallback index, is 202 (notaryproject/notation#619)", async () => {
  const tag = absentDigest.replace(":", "-");
  const { digest } = await pushManifest(registry, "p", indexOf([], { pitfall: 32 }), {
    reference: tag,
    mediaType: mediaTypes.ociIndex,
  });
  expect((await fetchOf("DELETE", `manifests/${digest}`)).status).toBe(202);
  expect((await fetchOf("GET", `manifests/${tag}`)).status).toBe(404);
});

test("pitfall 33: referrers outlive their subject; they are untagged and stay (agntcy/dir#2102)", async () => {
  const subject = await pushManifest(registry, "p", image({ pitfall: 33 }));
  const descriptor = descriptorOf(subject.bytes, mediaTypes.ociManifest);
  const referrer = await pushManifest(registry, "p", image({ subject: descriptor }));
  await fetchOf("DELETE", `manifests/${subject.digest}`);
  expect((await fetchOf("HEAD", `manifests/${referrer.digest}`)).status).toBe(200);
});

test("pitfall 34: ?ns= and every other unknown parameter is ignored (openSUSE/open-build-service#16186)", async () => {
  await put("mirrored", image());
  for (const path of ["manifests/mirrored", `blobs/${layer.digest}`, "tags/list"]) {
    expect((await fetchOf("GET", `${path}?ns=docker.io&x`)).status).toBe(200);
    if (path !== "tags/list") {
      expect((await fetchOf("HEAD", `${path}?ns=docker.io`)).status).toBe(200);
    }
  }
});

test("pitfall 35: a blob is known to HEAD and to a manifest right after its 201 (moby/moby#36823)", async () => {
  for (let i = 0; i < 5; i++) {
    const bytes = bytesOf(`pitfall 35 ${i}`);
    expect((await push("p", bytes)).status).toBe(201);
    expect((await fetchOf("HEAD", `blobs/${digestOf(bytes)}`)).status).toBe(200);
    expect((await put("fresh", imageOf(config, [descriptorOf(bytes)]))).status).toBe(201);
  }
});

test("pitfall 36: MANIFEST_BLOB_UNKNOWN names the digest in its detail (moby/moby#53293)", async () => {
  const response = await put("missing", imageOf(config, [{ ...layer, digest: absentDigest }]));
  const { detail } = await expectError(response, 400, "MANIFEST_BLOB_UNKNOWN");
  expect(detail).toEqual({ digest: absentDigest });
});

test("pitfall 37: an index with an attestation of platform unknown/unknown is stored as it is (moby/moby#51532)", async () => {
  const child = await pushManifest(registry, "p", image({ pitfall: 37 }));
  const attestation = await pushManifest(registry, "p", image({ pitfall: "37b" }));
  const index = json(
    indexOf([
      {
        ...descriptorOf(child.bytes, mediaTypes.ociManifest),
        platform: { os: "linux", architecture: "amd64" },
      },
      {
        ...descriptorOf(attestation.bytes, mediaTypes.ociManifest),
        platform: { os: "unknown", architecture: "unknown" },
        annotations: { "vnd.docker.reference.type": "attestation-manifest" },
      },
    ]),
  );
  await pushManifest(registry, "p", index, { reference: "v37", mediaType: mediaTypes.ociIndex });
  expect(await bodyOf(await fetchOf("GET", "manifests/v37"))).toEqual(index);
});

test("pitfall 38: Range is inclusive and tags are sorted by bytes (distribution/distribution#3496)", async () => {
  const location = await beginUpload(registry, "p38");
  const patched = await registry.fetch("PATCH", location, { body: "0123456789" });
  expect(patched.headers.get("range")).toBe("0-9");
  for (const tag of ["b", "a", "B", "A", "_", "1"]) {
    await putManifest(registry, "p38", tag, json(indexOf([])), { mediaType: mediaTypes.ociIndex });
  }
  const list = await registry.fetch("GET", "/v2/p38/tags/list");
  expect(await list.json()).toEqual({ name: "p38", tags: ["1", "A", "B", "_", "a", "b"] });
});

test("pitfall 39: pages have links, and an empty last page is an empty list (SUSE/Portus#575)", async () => {
  for (const tag of ["a", "b", "c"]) {
    await putManifest(registry, "p39", tag, json(indexOf([])), { mediaType: mediaTypes.ociIndex });
  }
  const first = await registry.fetch("GET", "/v2/p39/tags/list?n=2");
  expect(first.headers.get("link")).toBe('</v2/p39/tags/list?n=2&last=b>; rel="next"');
  const behind = await registry.fetch("GET", "/v2/p39/tags/list?n=2&last=c");
  expect(await behind.json()).toEqual({ name: "p39", tags: [] });
  expect(behind.headers.has("link")).toBe(false);
  const catalogue = await registry.fetch("GET", "/v2/_catalog?n=1");
  expect(catalogue.headers.get("link")).toContain('rel="next"');
});

test("pitfall 40: an Authorization of 12 KiB is read, not answered with 431 (actions/attest-sbom#201)", async () => {
  const response = await registry.fetch("GET", "/v2/", {
    headers: { Authorization: `Basic ${"A".repeat(12 * 1024)}` },
  });
  expect(response.status).toBe(401);
});

test("pitfall 41: uploads that are begun and abandoned cost little and expire (GoogleContainerTools/kaniko#622)", async () => {
  await using own = await openRegistry();
  await times(100, () => beginUpload(own, "probed"));
  own.clock.advance(own.context.settings.uploadExpiryMilliseconds + 1);
  expect(await expireUploads(own.context)).toBe(100);
});

test("pitfall 42: a descriptor without `size` is refused (Trow-Registry/trow#210)", async () => {
  const response = await put("sizeless", imageOf(config, [{ ...layer, size: undefined }]));
  const { message } = await expectError(response, 400, "MANIFEST_INVALID");
  expect(message).toContain("layers[0].size");
});

test("pitfall 43: chunks may be of any size, no minimum is announced (opencontainers/distribution-spec#485)", async () => {
  const begun = await registry.fetch("POST", "/v2/p/blobs/uploads/");
  expect(begun.headers.has("oci-chunk-min-length")).toBe(false);
  const location = locationOf(begun);
  for (const [i, size] of [1, 2, 3].entries()) {
    const start = [0, 1, 3][i] ?? 0;
    const response = await registry.fetch("PATCH", location, {
      body: bytesOf(i, size),
      headers: { "Content-Range": `${start}-${start + size - 1}` },
    });
    expect(response.status).toBe(202);
  }
});

test("pitfall 44: what docker-registry 2.8.2 gets wrong is right here (observed)", async () => {
  const foreign = { ...layer, digest: absentDigest, urls: ["https://example.test/"] };
  expect((await put("foreign", imageOf(config, [foreign]))).status).toBe(201);
  const schema1 = await put("schema1", { schemaVersion: 1 }, mediaTypes.dockerSchema1);
  await expectError(schema1, 400, "MANIFEST_INVALID");
  await expectError(await fetchOf("GET", "manifests/sha256:bad"), 400, "DIGEST_INVALID");
  const large = image({ annotations: { a: "x".repeat(4 * 1024 * 1024) } });
  await expectError(await put("large", large), 413, "MANIFEST_INVALID");
  const beyond = await fetchOf("GET", `blobs/${layer.digest}`, { Range: "bytes=5000-" });
  await expectError(beyond, 416, "RANGE_INVALID");
  const location = await beginUpload(registry, "p");
  const early = await registry.fetch("PATCH", location, {
    body: "abc",
    headers: { "Content-Range": "5-7" },
  });
  await expectError(early, 416, "BLOB_UPLOAD_INVALID");
  await put("zz", image());
  const behind = await fetchOf("GET", "tags/list?last=zy");
  expect(await behind.json()).toEqual({ name: "p", tags: ["zz"] });
  const sha512 = await pushImage(registry, "p", "sha512", { algorithm: "sha512" });
  expect(sha512.blobs[0]?.digest).toStartWith("sha512:");
  expect((await fetchOf("DELETE", "manifests/zz")).status).toBe(202);
  expect((await fetchOf("GET", `referrers/${absentDigest}`)).status).toBe(200);
});
