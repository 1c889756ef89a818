/**
 * Hostile and broken requests, by hand. Whatever comes: never a 5xx, the specification's error with
 * a documented code, nothing written, and the server goes on.
 */
import {
  afterAll,
  beforeAll,
  beforeEach,
  describe,
  expect,
  setDefaultTimeout,
  test,
} from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { mediaTypes } from "../../src/image/media-type.ts";
import { expectConsistent } from "../support/consistency.ts";
import {
  absentDigest,
  beginUpload,
  type Descriptor,
  expectError,
  imageOf,
  indexOf,
  json,
  pushBlob,
  putManifest,
} from "../support/content.ts";
import { parseResponses } from "../support/raw-connection.ts";
import { testAuthorization } from "../support/registry.ts";
import { exchange, type ServedRegistry, serveRegistry } from "../support/served-registry.ts";

// A busy machine takes its time; nothing here waits for a clock.
setDefaultTimeout(30_000);

let registry: ServedRegistry;
let config: Descriptor;
let location: string;
beforeAll(async () => {
  registry = await serveRegistry({ storage: "disk" });
  config = await pushBlob(registry, "a", json({}));
  await putManifest(registry, "a", "kept", json(imageOf(config, [])));
  location = await beginUpload(registry, "a");
  await registry.request("PATCH", location, { body: "held" });
});

/** Everything that a request could have changed. */
async function state() {
  const tables = ["repositories", "manifests", "tags", "uploads", "repository_blobs", "changes"];
  const { read } = registry.context.metadata;
  const counts: Record<string, unknown> = {};
  for (const table of tables) counts[table] = await read.all(`select count(*) as n from ${table}`);
  const held = await registry.request("GET", location);
  return { ...counts, range: held.headers.get("range") };
}
let before: Awaited<ReturnType<typeof state>>;
beforeEach(async () => {
  before = await state();
});
const expectUnchanged = async () => expect(await state()).toEqual(before);

afterAll(async () => {
  expect((await registry.fetch("GET", "/v2/a/manifests/kept")).status).toBe(200);
  await expectConsistent(registry);
  expect(registry.escaped).toEqual([]);
  await registry[Symbol.asyncDispose]();
});

const raw = (request: string) => exchange(registry, request);
const authorization = `Authorization: ${testAuthorization}\r\n`;
const get = (target: string, headers = "Host: x\r\n") =>
  raw(`GET ${target} HTTP/1.1\r\n${headers}${authorization}\r\n`);

describe("paths that climb", () => {
  const climbs = [
    "../../../etc/passwd",
    "..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/etc/passwd",
    "%2e%2e%2f%2e%2e%2fmetadata.db",
    "..%5c..%5cmetadata.db",
    "..\\..\\metadata.db",
    "%252e%252e%252fmetadata.db",
    "..%c0%afmetadata.db",
    "%c0%ae%c0%ae%c0%afmetadata.db",
    "..;/metadata.db",
    "....//metadata.db",
    "%00",
    "a%00.txt",
    "%0d%0aX-Injected:%20yes",
    "~root",
    "/etc/passwd",
    "C:%5cWindows",
    "%u002e%u002e",
  ];
  const forms: Record<string, (climb: string) => readonly [method: string, path: string][]> = {
    "the name": (climb) => [
      ["GET", `/v2/${climb}/tags/list`],
      ["PUT", `/v2/${climb}/manifests/latest`],
      ["POST", `/v2/${climb}/blobs/uploads/`],
    ],
    "the reference": (climb) => [
      ["GET", `/v2/a/manifests/${climb}`],
      ["PUT", `/v2/a/manifests/${climb}`],
      ["DELETE", `/v2/a/manifests/${climb}`],
    ],
    "the digest": (climb) => [
      ["GET", `/v2/a/blobs/${climb}`],
      ["DELETE", `/v2/a/blobs/sha256:${climb}`],
      ["GET", `/v2/a/referrers/sha256:${climb}`],
      ["PUT", `${location}?digest=sha256:${climb}`],
      ["POST", `/v2/a/blobs/uploads/?digest=${climb}`],
    ],
    "the upload id": (climb) => [
      ["GET", `/v2/a/blobs/uploads/${climb}`],
      ["PATCH", `/v2/a/blobs/uploads/${climb}`],
      ["PUT", `/v2/a/blobs/uploads/${climb}?digest=${absentDigest}`],
      ["DELETE", `/v2/a/blobs/uploads/${climb}`],
    ],
    "a parameter": (climb) => [
      ["GET", `/v2/a/tags/list?n=${climb}`],
      ["POST", `/v2/a/blobs/uploads/?digest-algorithm=${climb}`],
      ["PUT", `/v2/a/manifests/${absentDigest}?tag=${climb}`],
      ["GET", `/v2/a/referrers/${absentDigest}?cursor=${climb}`],
    ],
  };
  for (const [field, requests] of Object.entries(forms)) {
    for (const climb of climbs) {
      test(`in ${field}: ${climb}`, async () => {
        for (const [method, path] of requests(climb)) {
          const body = method === "GET" || method === "DELETE" ? "" : "Content-Length: 0\r\n";
          const received = await raw(
            `${method} ${path} HTTP/1.1\r\nHost: x\r\n${authorization}${body}\r\n`,
          );
          const [response] = parseResponses(received, [method]);
          expect(response?.status).toBeOneOf([400, 404, 405]);
          expect(JSON.parse(response?.body ?? "")).toMatchObject({
            errors: [{ code: expect.stringMatching(/^[A-Z_]+$/) }],
          });
          expect(response?.headers).not.toHaveProperty("x-injected");
        }
        await expectUnchanged();
      });
    }
  }

  test("the database is not where a blob could be", () => {
    expect(existsSync(join(registry.directory ?? "", "metadata.db"))).toBe(true);
  });
});

describe("manifests", () => {
  const push = (bytes: Uint8Array | string, mediaType: string = mediaTypes.ociManifest) =>
    putManifest(registry, "a", "bad", bytes, { mediaType });
  const text = (value: unknown) => JSON.stringify(value);
  const layer = (fields: object) => imageOf(config, [{ ...config, ...fields }]);
  const invalid: Record<string, () => Uint8Array | string> = {
    nothing: () => "",
    "a word": () => "manifest",
    "half of one": () => text(imageOf(config, [])).slice(0, -5),
    "two of them": () => text(imageOf(config, [])).repeat(2),
    "a byte order mark in front": () => `\ufeff${text(imageOf(config, []))}`,
    "UTF-16": () => Buffer.from(text(imageOf(config, [])), "utf16le"),
    "invalid UTF-8": () =>
      Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]),
    "compressed by gzip": () => Bun.gzipSync(Buffer.from(text(imageOf(config, [])))),
    "a list": () => text([imageOf(config, [])]),
    "4 MiB of brackets": () => "[".repeat(4 * 1024 * 1024),
    "4 MiB of objects": () => '{"a":'.repeat(800_000),
    "20,000 levels in a field that nobody knows": () =>
      text(imageOf(config, [], { x: 0 })).replace(
        '"x":0',
        () => `"x":${"[".repeat(20_000)}${"]".repeat(20_000)}`,
      ),
    "20,000 descriptors": () =>
      text(
        indexOf(
          Array.from({ length: 20_000 }, (_, i) => ({
            mediaType: "a",
            digest: `sha256:${String(i).padStart(64, "0")}`,
            size: 1,
          })),
          { mediaType: undefined },
        ),
      ),
    "no config": () => text({ schemaVersion: 2, layers: [] }),
    "a config that is a list": () => text({ schemaVersion: 2, config: [config], layers: [] }),
    "a digest that climbs": () => text(layer({ digest: "sha256:../../../../metadata.db" })),
    "a digest with a NUL": () => text(layer({ digest: `sha256:${"a".repeat(63)}\0` })),
    "a digest of another length": () => text(layer({ digest: `sha256:${"a".repeat(63)}` })),
    "a digest that is an object": () => text(layer({ digest: { toString: "sha256:a" } })),
    "a negative size": () => text(layer({ size: -1 })),
    "a size beyond integers": () => text(layer({ size: 1e300 })),
    "a size that is text": () => text(layer({ size: "1" })),
    "no size": () => text(layer({ size: undefined })),
    "a media type that is a header": () => text(layer({ mediaType: "a/b\r\nX: y" })),
    "a subject that climbs": () =>
      text(imageOf(config, [], { subject: { ...config, digest: "../x" } })),
    "an artifact type with a NUL": () => text(imageOf(config, [], { artifactType: "a\0b" })),
    "annotations that are numbers": () => text(imageOf(config, [], { annotations: { a: 1 } })),
    "another schema version": () => text({ ...imageOf(config, []), schemaVersion: 9 }),
    "a schema version that is an object": () => text({ ...imageOf(config, []), schemaVersion: {} }),
  };
  for (const [name, make] of Object.entries(invalid)) {
    test(`${name}: MANIFEST_INVALID`, async () => {
      const type = name === "20,000 descriptors" ? mediaTypes.ociIndex : mediaTypes.ociManifest;
      await expectError(await push(make(), type), 400, "MANIFEST_INVALID");
      await expectUnchanged();
    });
  }

  test("of __proto__ and constructor change no prototype", async () => {
    const value = `{"schemaVersion":2,"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"manifests":[],"annotations":{"__proto__":"x"}}`;
    await push(value, mediaTypes.ociIndex);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    await registry.request("DELETE", "/v2/a/manifests/bad");
  });

  test("16,384 blobs that are missing: refused with a bounded answer", async () => {
    const layers = Array.from({ length: 16_000 }, (_, i) => ({
      ...config,
      digest: `sha256:${String(i).padStart(64, "0")}`,
    }));
    const response = await push(text(imageOf(config, layers)));
    expect(response.status).toBe(400);
    expect(Number(response.headers.get("content-length"))).toBeLessThan(100_000);
    await expectUnchanged();
  });

  test.each([
    ["not a media type", "a b"],
    ["not ASCII", "application/\u00e9"],
    ["endless", "a".repeat(1000)],
    ["control characters", "a/b\u0001"],
  ])("with a Content-Type that is %s", async (_what, type) => {
    await expectError(await push(text({ a: 1 }), type), 400, "MANIFEST_INVALID");
    await expectUnchanged();
  });
});

describe("headers", () => {
  test.each([
    ["a Range of 4,000 parts", "Range", `bytes=${"0-1,".repeat(4000)}5-6`],
    ["a Range of digits", "Range", `bytes=0-${"9".repeat(8000)}`],
    ["an If-None-Match of 4,000 tags", "If-None-Match", '"a",'.repeat(2000)],
    ["an Accept without end", "Accept", "a/b,".repeat(3000)],
  ])("%s: harmless", async (_what, name, value) => {
    const response = await registry.fetch("GET", `/v2/a/blobs/${config.digest}`, {
      headers: { [name]: value },
    });
    expect(response.status).toBeOneOf([200, 206]);
  });

  test.each([
    ["a Content-Range of digits", "Content-Range", `${"9".repeat(3000)}-${"9".repeat(3000)}`],
    ["a Content-Range of text", "Content-Range", "first-last"],
  ])("%s: 400", async (_what, name, value) => {
    const response = await registry.fetch("PATCH", location, {
      body: "x",
      headers: { [name]: value },
    });
    await expectError(response, 400, "BLOB_UPLOAD_INVALID");
    await expectUnchanged();
  });

  test("more of them than there is room for: 431, before any of our code", async () => {
    const bombs = [
      `X: ${"a".repeat(100_000)}\r\n`,
      Array.from({ length: 5000 }, (_, i) => `X-${i}: a\r\n`).join(""),
    ];
    for (const bomb of bombs) {
      expect(await get("/v2/", `Host: x\r\n${bomb}`)).toStartWith("HTTP/1.1 431 ");
    }
  });

  test("an Authorization without end: 401", async () => {
    const response = await registry.fetch("GET", "/v2/", {
      headers: { Authorization: `Basic ${"A".repeat(8000)}` },
    });
    await expectError(response, 401, "UNAUTHORIZED");
  });
});

describe("queries", () => {
  test("of 8,000 characters, of 2,000 parameters, of names of the language: ignored", async () => {
    for (const query of [
      "x".repeat(8000),
      "a=b&".repeat(2000),
      "__proto__=1&constructor=2&toString=3&hasOwnProperty=4",
      "&&&===&=&",
      "%00=%00&%ff=%ff&%",
    ]) {
      expect((await registry.fetch("GET", `/v2/a/manifests/kept?${query}`)).status).toBe(200);
    }
  });

  test("a hundred thousand digits are no number", async () => {
    const response = await registry.request("GET", `/v2/a/tags/list?n=${"9".repeat(100_000)}`);
    await expectError(response, 400, "PAGINATION_NUMBER_INVALID");
  });
});
