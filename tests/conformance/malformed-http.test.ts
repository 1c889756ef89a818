/**
 * Requests that are no HTTP, or odd HTTP: what Bun refuses by itself, and that whatever it lets
 * through does no harm. Smuggling and bodies that lie above all.
 */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { digestOf } from "../../src/image/digest.ts";
import { mediaTypes } from "../../src/image/media-type.ts";
import { expectConsistent } from "../support/consistency.ts";
import { indexOf, json, putManifest } from "../support/content.ts";
import { testAuthorization } from "../support/registry.ts";
import { exchange, type ServedRegistry, serveRegistry } from "../support/served-registry.ts";
import { waitUntil } from "../support/wait-until.ts";

// A busy machine takes its time; nothing here waits for a clock.
setDefaultTimeout(30_000);

let registry: ServedRegistry;
beforeAll(async () => {
  registry = await serveRegistry({ storage: "disk" });
  await putManifest(registry, "a", "kept", json(indexOf([])), { mediaType: mediaTypes.ociIndex });
});
afterAll(async () => {
  expect((await registry.fetch("GET", "/v2/a/manifests/kept")).status).toBe(200);
  const tags = await registry.fetch("GET", "/v2/a/tags/list");
  expect(await tags.json()).toEqual({ name: "a", tags: ["kept"] });
  await expectConsistent(registry);
  expect(registry.escaped).toEqual([]);
  await registry[Symbol.asyncDispose]();
});

const raw = (request: string) => exchange(registry, request);
const authorization = `Authorization: ${testAuthorization}\r\n`;
const get = (target: string, headers = "Host: x\r\n", version = "HTTP/1.1") =>
  raw(`GET ${target} ${version}\r\n${headers}${authorization}\r\n`);

const status = (received: string) => /^HTTP\/1\.1 (\d{3}) /.exec(received)?.[1] ?? "closed";

test.each(["CONNECT", "TRACE", "OPTIONS", "PROPFIND", "PURGE"])("%s is 405", async (method) => {
  for (const path of ["/v2/", "/v2/a/manifests/kept", "/v2/a/blobs/uploads/"]) {
    const received = await raw(`${method} ${path} HTTP/1.1\r\nHost: x\r\n${authorization}\r\n`);
    // Nothing of the request comes back, as TRACE would have it.
    expect(received).not.toContain(testAuthorization);
    expect(status(received)).toBeOneOf(["405", "closed"]);
  }
});

test("CONNECT to a host opens nothing", async () => {
  const received = await raw(`CONNECT example.test:80 HTTP/1.1\r\nHost: x\r\n${authorization}\r\n`);
  expect(status(received)).toBe("404");
});

test.each(["get", "GETX", "G\u00c9T", "", "GET\t"])(
  "the method %p is not answered with success",
  async (method) => {
    const received = await raw(`${method} /v2/ HTTP/1.1\r\nHost: x\r\n${authorization}\r\n`);
    expect(status(received)).toBeOneOf(["400", "405", "501", "505", "closed"]);
  },
);

test("an absolute URL is read by its path, whatever host it names", async () => {
  expect(status(await get("http://elsewhere.test/v2/a/manifests/kept"))).toBe("200");
  expect(status(await get("http://elsewhere.test/v2/a/manifests/none"))).toBe("404");
});

test("HTTP/1.0 without Host is answered", async () => {
  expect(status(await get("/v2/a/manifests/kept", "", "HTTP/1.0"))).toBe("200");
  expect(status(await get("/v2/a/manifests/kept?x=1", "", "HTTP/1.0"))).toBe("200");
  expect(status(await get("/v2/a/../a/manifests/kept", "", "HTTP/1.0"))).toBeOneOf([
    "400",
    "404",
    "200",
  ]);
  const challenge = await raw("GET /v2/ HTTP/1.0\r\n\r\n");
  expect(status(challenge)).toBe("401");
  expect(challenge).toContain('realm="http://localhost/"');
});

test("a Host that is none is not believed", async () => {
  for (const host of ["", "a b", "a/v2/x", "../..", "x\u0000", `${"a".repeat(300)}`]) {
    const received = await raw(`GET /v2/ HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    expect(status(received)).toBeOneOf(["401", "400"]);
  }
});

const malformed: Record<string, string> = {
  "no Host in HTTP/1.1": "GET /v2/ HTTP/1.1\r\n\r\n",
  "both lengths":
    "PUT /v2/a/manifests/b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  "both lengths, the other way round":
    "PUT /v2/a/manifests/b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
  "two lengths":
    "PUT /v2/a/manifests/b HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
  "a length with a sign":
    "PUT /v2/a/manifests/b HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\na",
  "a negative length": "PUT /v2/a/manifests/b HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\na",
  "a length in hexadecimal":
    "PUT /v2/a/manifests/b HTTP/1.1\r\nHost: x\r\nContent-Length: 0x1\r\n\r\na",
  "a length beyond 64 bits":
    "PUT /v2/a/manifests/b HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551617\r\n\r\na",
  "a space before the colon":
    "PUT /v2/a/manifests/b HTTP/1.1\r\nHost: x\r\nContent-Length : 1\r\n\r\na",
  "an unknown coding":
    "PUT /v2/a/manifests/b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
  "a coding in disguise":
    "PUT /v2/a/manifests/b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
  "chunked twice":
    "PUT /v2/a/manifests/b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
  "a header folded over two lines": "GET /v2/ HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n",
  "a NUL in a header": "GET /v2/ HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n",
  "a header without a colon": "GET /v2/ HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n",
  "lines without carriage returns": "GET /v2/ HTTP/1.1\nHost: x\n\n",
  "HTTP/2 without agreement": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "HTTP/0.9": "GET /v2/\r\n",
  "HTTP/9.9": "GET /v2/ HTTP/9.9\r\nHost: x\r\n\r\n",
  "a TLS greeting": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
  noise: "\0\x01\x02\x03\xff\xfe\r\n\r\n",
  "blank lines": "\r\n\r\n\r\n\r\n",
  "a path with a space": "GET /v2/a b HTTP/1.1\r\nHost: x\r\n\r\n",
  "a path with a NUL": "GET /v2/\0 HTTP/1.1\r\nHost: x\r\n\r\n",
};
for (const [name, request] of Object.entries(malformed)) {
  test(`${name}: refused by the server`, async () => {
    const received = await raw(request);
    expect(status(received)).toBeOneOf(["400", "501", "505", "closed"]);
  });
}

const hello = new TextEncoder().encode("hello");
const chunks: Record<string, string> = {
  "a size that is no number": "zz\r\nhello\r\n0\r\n\r\n",
  "a negative size": "-5\r\nhello\r\n0\r\n\r\n",
  "a size beyond 64 bits": "fffffffffffffffff5\r\nhello\r\n0\r\n\r\n",
  "more bytes than its size": "2\r\nhello\r\n0\r\n\r\n",
  "fewer bytes than its size": "9\r\nhello\r\n0\r\n\r\n",
  "no line end": "5\r\nhello0\r\n\r\n",
  "no last chunk": "5\r\nhello\r\n",
};
for (const [name, body] of Object.entries(chunks)) {
  test(`a chunk with ${name} never ends an upload`, async () => {
    const path = `/v2/chunks/blobs/uploads/?digest=${digestOf(hello)}`;
    const received = await raw(
      `POST ${path} HTTP/1.1\r\nHost: x\r\n${authorization}Transfer-Encoding: chunked\r\n\r\n${body}`,
    );
    expect(status(received)).toBeOneOf(["400", "closed"]);
    await waitUntil("the session to be dropped", async () => {
      const uploads = await registry.context.metadata.read.all(
        "select u.id from uploads u join repositories r on r.id = u.repository_id where r.name = 'chunks'",
      );
      return uploads.length === 0;
    });
    const blob = await registry.fetch("HEAD", `/v2/chunks/blobs/${digestOf(hello)}`);
    expect(blob.status).toBe(404);
  });
}

test("slow clients of headers hold up nobody", async () => {
  const idle = await Promise.all(
    Array.from({ length: 50 }, async () => {
      const connection = await registry.connect();
      connection.send("GET /v2/ HTTP/1.1\r\nHost: x\r\nX-Slow: ");
      return connection;
    }),
  );
  expect((await registry.fetch("GET", "/v2/")).status).toBe(200);
  for (const connection of idle) connection.reset();
});
