/**
 * The forty-four compatibility pitfalls that other registries and their users fell into, each as a
 * regression test with the issue that it comes from: 1 to 22, pushing and pulling. Where one concerns a part that
 * does not exist yet, the name says what is promised until then.
 */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { digestOf } from "../../src/image/digest.ts";
import { mediaTypes } from "../../src/image/media-type.ts";
import {
  absentDigest,
  beginUpload,
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
  pushManifest,
  putManifest,
  withQuery,
} from "../support/content.ts";
import { parseByteRanges } from "../support/multipart.ts";
import { openRegistry, testAuthorization } from "../support/registry.ts";
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
const statusesOf = (responses: readonly Response[]) =>
  [...new Set(responses.map(({ status }) => status))].toSorted();
const push = (repository: string, bytes: Uint8Array) =>
  registry.fetch("POST", `/v2/${repository}/blobs/uploads/?digest=${digestOf(bytes)}`, {
    body: bytes,
  });

test("pitfall 1: BuildKit caches are stored, as a manifest with its config type and as an index of layers (go-gitea/gitea#28973)", async () => {
  const cacheConfig = { ...config, mediaType: "application/vnd.buildkit.cacheconfig.v0" };
  expect((await put("cache", imageOf(cacheConfig, [layer]))).status).toBe(201);
  const old = indexOf([{ ...layer }, cacheConfig]);
  expect((await put("old-cache", old, mediaTypes.ociIndex)).status).toBe(201);
});

test("pitfall 2: the same manifest under another tag, also at the same time, is 201 (go-gitea/gitea#31964)", async () => {
  const responses = await times(8, (i) => put(`tag-${i}`, image({ pitfall: 2 })));
  expect(statusesOf(responses)).toEqual([201]);
});

test("pitfall 3: parallel uploads of the same blob are 201 and lose nothing (go-gitea/gitea#19586)", async () => {
  const bytes = bytesOf("pitfall 3", 10_000);
  expect(statusesOf(await times(8, () => push("p", bytes)))).toEqual([201]);
  expect(await bodyOf(await fetchOf("GET", `blobs/${digestOf(bytes)}`))).toEqual(bytes);
});

test("pitfall 4: parallel uploads of the same blob to two repositories are 201 (sonatype/nexus-public#967)", async () => {
  const bytes = bytesOf("pitfall 4", 10_000);
  expect(statusesOf(await times(8, (i) => push(`p4-${i % 2}`, bytes)))).toEqual([201]);
});

test("pitfall 5: an OCI index is stored (go-gitea/gitea#37093)", async () => {
  const child = await pushManifest(registry, "p", image({ pitfall: 5 }));
  const index = indexOf([descriptorOf(child.bytes, mediaTypes.ociManifest)]);
  expect((await put("index", index, mediaTypes.ociIndex)).status).toBe(201);
});

test("pitfall 6: Docker types are stored and come back unconverted (project-zot/zot#724)", async () => {
  const { dockerManifest, dockerList } = mediaTypes;
  const manifest = json({ ...image(), mediaType: dockerManifest });
  const list = json({
    schemaVersion: 2,
    mediaType: dockerList,
    manifests: [descriptorOf(manifest, dockerManifest)],
  });
  for (const [bytes, mediaType] of [
    [manifest, dockerManifest],
    [list, dockerList],
  ] as const) {
    await pushManifest(registry, "p", bytes, { reference: "docker", mediaType });
    const pulled = await fetchOf("GET", "manifests/docker");
    expect(pulled.headers.get("content-type")).toBe(mediaType);
    expect(await bodyOf(pulled)).toEqual(bytes);
  }
});

test("pitfall 7: a tag may move to another media type (project-zot/zot#3005)", async () => {
  expect((await put("retyped", image())).status).toBe(201);
  expect((await put("retyped", indexOf([]), mediaTypes.ociIndex)).status).toBe(201);
  const head = await fetchOf("HEAD", "manifests/retyped");
  expect(head.headers.get("content-type")).toBe(mediaTypes.ociIndex);
});

test("pitfall 8: without `mediaType`, as helm pushes, the Content-Type counts and the bytes stay (cloudflare/serverless-registry#158)", async () => {
  const value = image({ mediaType: undefined });
  expect((await put("helm", value)).status).toBe(201);
  const pulled = await fetchOf("GET", "manifests/helm");
  expect(pulled.headers.get("content-type")).toBe(mediaTypes.ociManifest);
  expect(await bodyOf(pulled)).toEqual(json(value));
});

test("pitfall 9: no Accept makes a manifest 404 (distribution/distribution#3938)", async () => {
  await put("accepted", image());
  for (const accept of [
    "",
    "*/*",
    mediaTypes.dockerManifest,
    `${mediaTypes.dockerList}, a/b;q=0`,
  ]) {
    expect((await fetchOf("GET", "manifests/accepted", { Accept: accept })).status).toBe(200);
  }
});

test("pitfall 10: HEAD of a manifest has its digest (containerd/containerd#3238)", async () => {
  await put("headed", image());
  const head = await fetchOf("HEAD", "manifests/headed");
  expect(head.headers.get("docker-content-digest")).toBe(digestOf(json(image())));
});

test("pitfall 11: HEAD of a manifest has its length and type on the wire (containerd/containerd#5124)", async () => {
  await put("headed", image());
  using connection = await registry.connect();
  connection.send(
    `HEAD /v2/p/manifests/headed HTTP/1.1\r\nHost: x\r\nAuthorization: ${testAuthorization}\r\n\r\n`,
  );
  const received = (await connection.receive("\r\n\r\n")).toLowerCase();
  expect(received).toContain(`\r\ncontent-length: ${json(image()).byteLength}\r\n`);
  expect(received).toContain(`\r\ncontent-type: ${mediaTypes.ociManifest}\r\n`);
  expect(received).not.toContain("transfer-encoding");
});

test("pitfall 12: HEAD and GET of a manifest's digest among the blobs agree (containerd/containerd#7390)", async () => {
  const { digest } = await pushManifest(registry, "p", image({ pitfall: 12 }));
  const [head, got] = [
    await fetchOf("HEAD", `blobs/${digest}`),
    await fetchOf("GET", `blobs/${digest}`),
  ];
  expect([head.status, got.status]).toEqual([404, 404]);
});

test("pitfall 13: a mount from where the caller may not read, or from a malformed name, is 202 (containerd/containerd#14086)", async () => {
  await using own = await openRegistry({
    allows: (action, resource) =>
      !(action === "ecr:GetDownloadUrlForLayer" && resource.endsWith("/secret")),
  });
  const { digest } = await pushBlob(own, "secret", bytesOf("secret"));
  for (const from of ["secret", "no/such", "UPPER", "a//b", "", "..%2fa", "%00"]) {
    const path = `/v2/target/blobs/uploads/?mount=${digest}&from=${from}`;
    expect((await own.request("POST", path)).status).toBe(202);
  }
});

test("pitfall 14: a mount without `from` is 201 or 202 (GoogleContainerTools/jib#703)", async () => {
  for (const [digest, status] of [
    [layer.digest, 201],
    [absentDigest, 202],
  ] as const) {
    const response = await registry.fetch("POST", `/v2/p14/blobs/uploads/?mount=${digest}`);
    expect(response.status).toBe(status);
  }
});

test("pitfall 15: multi-range GET is multipart/byteranges (project-zot/zot#3623)", async () => {
  const range = { Range: "bytes=0-9,500-509,-10" };
  const response = await fetchOf("GET", `blobs/${layer.digest}`, range);
  expect(response.status).toBe(206);
  const type = response.headers.get("content-type") ?? "";
  const parts = parseByteRanges(type, await bodyOf(response));
  expect(parts.map(({ start, end }) => `${start}-${end}`)).toEqual(["0-9", "500-509", "990-999"]);
  for (const { start, end, bytes } of parts) {
    expect([...bytes]).toEqual([...bytesOf("layer", 1000).subarray(start, end + 1)]);
  }
});

test("pitfall 16: a pull is resumed with a range (project-zot/zot#762)", async () => {
  const response = await fetchOf("GET", `blobs/${layer.digest}`, { Range: "bytes=400-" });
  expect(response.status).toBe(206);
  expect(response.headers.get("content-range")).toBe("bytes 400-999/1000");
  expect(await bodyOf(response)).toEqual(bytesOf("layer", 1000).slice(400));
});

test("pitfall 17: a PATCH without Content-Length is taken as a stream, and `bytes ` in Content-Range is (cloudflare/serverless-registry#119)", async () => {
  const location = await beginUpload(registry, "p");
  const body = new ReadableStream({
    start(controller) {
      for (let i = 0; i < 4; i++) controller.enqueue(bytesOf(i, 10));
      controller.close();
    },
  });
  expect((await registry.fetch("PATCH", location, { body })).headers.get("range")).toBe("0-39");
  const next = await registry.fetch("PATCH", location, {
    body: bytesOf(4, 10),
    headers: { "Content-Range": "bytes 40-49/50" },
  });
  expect(next.headers.get("range")).toBe("0-49");
});

test("pitfall 18: a wrong digest is 400, a blob of nothing and a last chunk on the PUT are 201 (cloudflare/serverless-registry#138)", async () => {
  const wrong = await registry.fetch("POST", `/v2/p/blobs/uploads/?digest=${absentDigest}`, {
    body: "x",
  });
  await expectError(wrong, 400, "DIGEST_INVALID");
  const nothing = withQuery(await beginUpload(registry, "p"), `digest=${emptyDigest}`);
  expect((await registry.fetch("PUT", nothing)).status).toBe(201);
  const location = await beginUpload(registry, "p");
  await registry.fetch("PATCH", location, { body: "first " });
  const digest = digestOf(new TextEncoder().encode("first last"));
  const last = await registry.fetch("PUT", withQuery(location, `digest=${digest}`), {
    body: "last",
    headers: { "Content-Range": "6-9" },
  });
  expect(last.status).toBe(201);
});

test("pitfall 19: an old Location works as well as the newest (cloudflare/serverless-registry#20)", async () => {
  const first = await beginUpload(registry, "p");
  const second = locationOf(await registry.fetch("PATCH", first, { body: "a" }));
  await registry.fetch("PATCH", second, { body: "b" });
  const third = await registry.fetch("PATCH", first, { body: "c" });
  expect(third.headers.get("range")).toBe("0-2");
});

test("pitfall 20: several streamed PATCHes fit into one session (dotnet/sdk-container-builds#471)", async () => {
  const location = await beginUpload(registry, "p");
  for (const part of ["one", "two", "three"]) {
    expect((await registry.fetch("PATCH", location, { body: part })).status).toBe(202);
  }
  const digest = digestOf(new TextEncoder().encode("onetwothree"));
  const put = await registry.fetch("PUT", withQuery(location, `digest=${digest}`));
  expect(put.status).toBe(201);
});

test("pitfall 21: a chunked PATCH without Content-Length and Content-Type is taken, as docker sends it (opencontainers/distribution-spec#404)", async () => {
  const location = await beginUpload(registry, "p");
  using connection = await registry.connect();
  connection.send(
    `PATCH ${location} HTTP/1.1\r\nHost: x\r\nAuthorization: ${testAuthorization}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
  );
  const received = await connection.receive("\r\n\r\n");
  expect(received).toStartWith("HTTP/1.1 202 ");
  expect(received).toContain("Range: 0-4\r\n");
});

test("pitfall 22: locations are relative, so that no proxy can break them (distribution/distribution#479)", async () => {
  const headers = { "X-Forwarded-Host": "evil.test", "X-Forwarded-Proto": "https" };
  const begun = await registry.fetch("POST", "/v2/p/blobs/uploads/", { headers });
  expect(locationOf(begun)).toStartWith("/v2/p/blobs/uploads/");
  expect(locationOf(await push("p", bytesOf("pitfall 22")))).toStartWith("/v2/p/blobs/sha256:");
  expect(locationOf(await put("located", image()))).toStartWith("/v2/p/manifests/sha256:");
});
