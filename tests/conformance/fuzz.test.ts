/**
 * Requests by chance, from parts that are right, wrong and hostile. Whatever comes: no 5xx, an error
 * that the catalogue has and that the endpoint documents, JSON, and a registry that is whole
 * afterwards. On every database; and through a socket with requests that were damaged on the way.
 */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { digestOf } from "../../src/image/digest.ts";
import { mediaTypes } from "../../src/image/media-type.ts";
import { errorCatalogue, type ProtocolErrorName } from "../../src/oci/errors.ts";
import { endpoints } from "../../src/oci/router.ts";
import type { ErrorCode } from "../../src/registry/errors.ts";
import { expectConsistent } from "../support/consistency.ts";
import {
  absentDigest,
  beginUpload,
  bodyOf,
  bytesOf,
  emptyDigest,
  indexOf,
  json,
  pushImage,
  putManifest,
} from "../support/content.ts";
import { metadataStores } from "../support/metadata-stores.ts";
import { openRegistry, type TestRegistry, testAuthorization } from "../support/registry.ts";
import { exchange, serveRegistry } from "../support/served-registry.ts";

// A busy machine takes its time; nothing here waits for a clock.
setDefaultTimeout(30_000);

/** A repository that no request names: it must stay as it is. */
const untouched = "untouched/repository";

const hostile = fc.oneof(
  fc.constantFrom(
    ...["", "..", "../..", "%2e%2e%2f", "%00", "%", "%zz", "%c0%af", "%ff", "%0d%0aX: y"],
    ...["__proto__", "constructor", "a\\b", "ä", "𝄞", "%F0%9D%84%9E", "'; drop table tags; --"],
    ...["a".repeat(300), "9".repeat(400), "-1", "NaN", "1e9", "null", "{}", "*", "~", " ", "a:b"],
  ),
  fc.string({ maxLength: 20 }).map(encodeURIComponent),
);
const digest = fc.oneof(
  fc.constantFrom(
    ...[absentDigest, emptyDigest, digestOf(bytesOf("fuzz layer 0")), `sha512:${"a".repeat(128)}`],
    ...["sha256:bad", "sha256:", `sha256:${"A".repeat(64)}`, `blake3:${"a".repeat(64)}`],
  ),
  hostile,
);
const name = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom("a", "a/b", "a/blobs/uploads", "tags/list", "new") },
  { weight: 1, arbitrary: hostile },
);
const reference = fc.oneof(fc.constantFrom("latest", "v1", "LATEST"), digest);

interface Fuzzed {
  readonly method: string;
  readonly path: (session: string) => string;
  readonly query: readonly (readonly [string, string])[];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: "none" | "broken off" | Uint8Array<ArrayBuffer>;
}

const path: fc.Arbitrary<Fuzzed["path"]> = fc.oneof(
  fc.tuple(name, reference).map(
    ([n, r]) =>
      () =>
        `/v2/${n}/manifests/${r}`,
  ),
  fc.tuple(name, digest).map(
    ([n, d]) =>
      () =>
        `/v2/${n}/blobs/${d}`,
  ),
  fc.tuple(name, digest).map(
    ([n, d]) =>
      () =>
        `/v2/${n}/referrers/${d}`,
  ),
  name.map((n) => () => `/v2/${n}/tags/list`),
  name.map((n) => () => `/v2/${n}/blobs/uploads/`),
  fc.constant((session: string) => session),
  fc.tuple(name, hostile).map(
    ([n, h]) =>
      () =>
        `/v2/${n}/blobs/uploads/${h}`,
  ),
  fc.constantFrom("/v2/", "/v2", "/v2/_catalog", "/v2/_oci/ext/discover").map((p) => () => p),
  fc.array(hostile, { maxLength: 5 }).map((parts) => () => `/v2/${parts.join("/")}`),
);

const query = fc.array(
  fc.tuple(
    fc.constantFrom(
      ...["digest", "mount", "from", "digest-algorithm", "tag", "n", "last", "artifactType"],
      ...["cursor", "ns", "_state", "%00", "__proto__"],
    ),
    fc.oneof(digest, hostile, fc.constantFrom("1", "0", "sha512", "a", "latest")),
  ),
  { maxLength: 4 },
);

const headers = fc.dictionary(
  fc.constantFrom(
    ...["content-range", "content-length", "content-type", "range", "if-none-match", "if-range"],
    ...["accept", "accept-encoding", "host", "x-forwarded-host", "authorization"],
  ),
  fc.oneof(
    fc.constantFrom(
      ...["0-9", "0-0", "5-3", "bytes 0-9/10", "bytes=0-4", "bytes=0-1,3-4", "bytes=-1", "0", "10"],
      ...[...Object.values(mediaTypes), "application/json", "a/b; c=d", `"${emptyDigest}"`, "*"],
      ...["444455556666.dkr.ecr.us-east-1.example.test", "Basic xyz", testAuthorization],
    ),
    fc.stringMatching(/^[!-~]{0,40}$/),
  ),
  { maxKeys: 3 },
);

const descriptor = fc.record(
  {
    mediaType: fc.oneof(fc.constantFrom(...Object.values(mediaTypes), "a/b"), fc.string()),
    digest: fc.oneof(digest, fc.string({ unit: "binary" })),
    size: fc.oneof(fc.nat(), fc.double(), fc.string()),
    urls: fc.array(fc.string(), { maxLength: 1 }),
  },
  { requiredKeys: [] },
);
const manifest = fc
  .record(
    {
      schemaVersion: fc.constantFrom<unknown>(2, 1, "2", null),
      mediaType: fc.oneof(fc.constantFrom(...Object.values(mediaTypes)), fc.string()),
      config: fc.oneof(descriptor, fc.jsonValue({ maxDepth: 2 })),
      layers: fc.oneof(fc.array(descriptor, { maxLength: 3 }), fc.jsonValue({ maxDepth: 2 })),
      manifests: fc.oneof(fc.array(descriptor, { maxLength: 3 }), fc.jsonValue({ maxDepth: 2 })),
      blobs: fc.array(descriptor, { maxLength: 2 }),
      subject: fc.oneof(descriptor, fc.jsonValue({ maxDepth: 1 })),
      artifactType: fc.oneof(fc.string({ unit: "binary" }), fc.constant("a/b")),
      annotations: fc.oneof(
        fc.dictionary(fc.string({ unit: "binary" }), fc.string({ unit: "binary" })),
        fc.jsonValue({ maxDepth: 1 }),
      ),
    },
    { requiredKeys: ["schemaVersion"] },
  )
  .map(json);
const body: fc.Arbitrary<Fuzzed["body"]> = fc.oneof(
  fc.constantFrom("none" as const, "broken off" as const),
  fc.uint8Array({ maxLength: 50 }).map((bytes) => new Uint8Array(bytes)),
  fc.constant(new Uint8Array(bytesOf("fuzz layer 0"))),
  manifest,
);

const fuzzed: fc.Arbitrary<Fuzzed> = fc.record({
  method: fc.constantFrom("GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "PROPFIND"),
  path,
  query,
  headers,
  body,
});

/** A manifest is what most fields belong to; by chance alone few would come so far. */
const fuzzedManifest: fc.Arbitrary<Fuzzed> = fc.record({
  method: fc.constant("PUT"),
  path: fc.constantFrom("latest", "v1").map((tag) => () => `/v2/a/manifests/${tag}`),
  query: fc.constant([]),
  headers: fc
    .constantFrom(...Object.values(mediaTypes), "application/x", "")
    .map((type) => (type === "" ? {} : { "content-type": type })),
  body: manifest,
});

function bodyInit(content: Fuzzed["body"]): BodyInit | null {
  if (content === "none") return null;
  if (content !== "broken off") return content;
  let sent = false;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      if (sent) controller.error(new DOMException("The connection was closed.", "AbortError"));
      else controller.enqueue(bytesOf("before the break", 5));
      sent = true;
    },
  });
}

const everywhere: readonly (ErrorCode | ProtocolErrorName)[] = [
  ...(["unauthorized", "denied", "endpoint_unknown", "method_unsupported"] as const),
  "name_invalid",
];

async function expectDocumented(registry: TestRegistry, method: string, response: Response) {
  const { status } = response;
  const bytes = await bodyOf(response);
  const length = response.headers.get("content-length");
  if (method === "HEAD" || status === 204 || status === 304) expect(bytes).toHaveLength(0);
  else if (length !== null) expect(length).toBe(String(bytes.byteLength));
  const log = registry.lastLog();
  const { documentation } = endpoints.find((each) => each.name === log.endpoint) ?? {};
  if (status < 400) {
    expect(Object.keys(documentation?.success ?? {})).toContain(String(status));
    return;
  }
  const name = log.errorCode as ErrorCode | ProtocolErrorName;
  expect([...everywhere, ...(documentation?.errors ?? [])]).toContain(name);
  expect(status).toBe(errorCatalogue[name].status);
  expect(response.headers.get("content-type")).toBe("application/json");
  if (method === "HEAD") return;
  const { errors } = JSON.parse(new TextDecoder().decode(bytes)) as {
    errors: { code: string; message: string }[];
  };
  expect(errors.length).toBeGreaterThan(0);
  const codes = Object.values(errorCatalogue).map(({ code }) => code);
  for (const { code, message } of errors) {
    expect([...codes, "PAGINATION_NUMBER_INVALID"]).toContain(code);
    expect(message).not.toBe("");
  }
}

async function prepare(registry: TestRegistry): Promise<string> {
  await pushImage(registry, untouched, "kept", { reference: "kept" });
  await pushImage(registry, "a", "fuzz", { reference: "latest" });
  return beginUpload(registry, "a");
}

async function expectUntouched(registry: TestRegistry) {
  const tags = await registry.request("GET", `/v2/${untouched}/tags/list`);
  expect(await tags.json()).toEqual({ name: untouched, tags: ["kept"] });
  expect((await registry.request("GET", `/v2/${untouched}/manifests/kept`)).status).toBe(200);
}

for (const [engine, openStore, available] of metadataStores) {
  describe.skipIf(!available)(engine, () => {
    test("any request is answered as documented", async () => {
      await using registry = await openRegistry({ openMetadata: openStore });
      let session = await prepare(registry);
      await fc.assert(
        fc.asyncProperty(fc.oneof(fuzzed, fuzzedManifest), async (request) => {
          const { method } = request;
          const pairs = request.query.map((pair) => pair.join("=")).join("&");
          const target = request.path(session) + (pairs === "" ? "" : `?${pairs}`);
          const content = method === "GET" || method === "HEAD" ? null : bodyInit(request.body);
          const { headers } = request;
          const options = { headers, ...(content !== null && { body: content }) };
          await expectDocumented(registry, method, await registry.request(method, target, options));
          if (target.startsWith(session)) session = await beginUpload(registry, "a");
        }),
        { numRuns: engine === "sqlite in memory" ? 1500 : 250 },
      );
      await expectUntouched(registry);
      await expectConsistent(registry);
    }, 60_000);
  });
}

describe("through a socket", () => {
  const head = (line: string, lines: string) =>
    `${line} HTTP/1.1\r\nHost: x\r\nAuthorization: ${testAuthorization}\r\n${lines}\r\n`;
  const index = Buffer.from(json(indexOf([]))).toString("latin1");
  const originals = [
    head("GET /v2/a/manifests/latest", ""),
    head("GET /v2/a/tags/list?n=1", "Range: bytes=0-1\r\n"),
    head("POST /v2/a/blobs/uploads/", "Content-Length: 0\r\n"),
    head(`POST /v2/a/blobs/uploads/?digest=${emptyDigest}`, "Content-Length: 0\r\n"),
    `${head(
      "PUT /v2/a/manifests/latest",
      `Content-Type: ${mediaTypes.ociIndex}\r\nContent-Length: ${index.length}\r\n`,
    )}${index}`,
    `${head("PUT /v2/a/manifests/v1", "Transfer-Encoding: chunked\r\n")}${index.length.toString(16)}\r\n${index}\r\n0\r\n\r\n`,
    head("DELETE /v2/a/manifests/v1", ""),
  ];
  const damage = fc.tuple(
    fc.constantFrom("flip", "insert", "delete", "cut", "repeat"),
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.nat({ max: 255 }),
  );
  const apply = (text: string, [kind, where, value]: readonly [string, number, number]) => {
    const at = Math.floor(where * text.length);
    const byte = String.fromCharCode(value);
    if (kind === "flip") return text.slice(0, at) + byte + text.slice(at + 1);
    if (kind === "insert") return text.slice(0, at) + byte + text.slice(at);
    if (kind === "delete") return text.slice(0, at) + text.slice(at + 1 + (value % 8));
    if (kind === "cut") return text.slice(0, at);
    return text.slice(0, at) + text.slice(Math.max(0, at - value), at) + text.slice(at);
  };

  test("damaged requests harm nobody", async () => {
    await using registry = await serveRegistry({ storage: "disk" });
    await prepare(registry);
    await putManifest(registry, "a", "v1", json(indexOf([])), { mediaType: mediaTypes.ociIndex });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...originals),
        fc.array(damage, { minLength: 1, maxLength: 3 }),
        async (original, damages) => {
          const received = await exchange(registry, damages.reduce(apply, original), 10);
          expect(received).not.toMatch(/^HTTP\/1\.1 5(?!05)/);
          expect(registry.escaped).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
    expect((await registry.fetch("GET", "/v2/")).status).toBe(200);
    await expectUntouched(registry);
    await expectConsistent(registry);
  }, 60_000);
});
