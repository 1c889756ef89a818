/**
 * What exists only on sockets: bodies that are cut off, clients that stall or are slow, answers that
 * come before the body was read, and what the connection is worth afterwards.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { BlobStore } from "../../src/blobs/blob-store.ts";
import { digestOf } from "../../src/image/digest.ts";
import { mediaTypes } from "../../src/image/media-type.ts";
import { defaultOciSettings } from "../../src/oci/endpoint.ts";
import { expectConsistent } from "../support/consistency.ts";
import {
  absentDigest,
  beginUpload,
  bytesOf,
  expectError,
  indexOf,
  json,
  withQuery,
} from "../support/content.ts";
import { parseResponses } from "../support/raw-connection.ts";
import { testAuthorization } from "../support/registry.ts";
import { type ServedRegistry, serveRegistry } from "../support/served-registry.ts";
import { waitUntil } from "../support/wait-until.ts";

// A busy machine takes its time; nothing here waits for a clock.
setDefaultTimeout(30_000);

const quickly = { intervalMilliseconds: 5 };
const authorization = `Authorization: ${testAuthorization}\r\n`;
const head = (method: string, path: string, headers: string, authorized = true) =>
  `${method} ${path} HTTP/1.1\r\nHost: registry.test\r\n${authorized ? authorization : ""}${headers}\r\n`;
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;

let registry: ServedRegistry;
beforeAll(async () => {
  registry = await serveRegistry({ storage: "disk" });
});
afterAll(async () => {
  await expectConsistent(registry);
  expect(registry.escaped).toEqual([]);
  await registry[Symbol.asyncDispose]();
});

const rangeOf = async (location: string) =>
  (await registry.fetch("GET", location)).headers.get("range");

describe("a body that is cut off is never taken for a whole one", () => {
  const sent = "hello";
  const framings = {
    "with Content-Length": { headers: "Content-Length: 100\r\n", body: sent },
    chunked: { headers: "Transfer-Encoding: chunked\r\n", body: chunk(sent) },
    "chunked, in the middle of a chunk": {
      headers: "Transfer-Encoding: chunked\r\n",
      body: `ff\r\n${sent}`,
    },
  };
  const endings = ["farewell", "reset"] as const;

  for (const [framing, { headers, body }] of Object.entries(framings)) {
    for (const ending of endings) {
      const cut = async (method: string, path: string, more = "") => {
        using connection = await registry.connect();
        connection.send(head(method, path, headers + more) + body);
        // Until then the bytes may not have been read, and a reset would take them along.
        await waitUntil(
          "the body",
          () => registry.lastLog().bytesReceived === sent.length,
          quickly,
        );
        if (ending === "reset") connection.reset();
        else connection.socket.end();
        await waitUntil("its end", () => registry.lastLog().errorCode === "body_cut_off", quickly);
      };

      test(`PATCH ${framing}, ${ending}: the session keeps what came`, async () => {
        const location = await beginUpload(registry, "cut");
        await cut("PATCH", location);
        expect(await rangeOf(location)).toBe("0-4");
        const rest = " world";
        const put = withQuery(
          location,
          `digest=${digestOf(new TextEncoder().encode(sent + rest))}`,
        );
        const ended = await registry.fetch("PUT", put, {
          body: rest,
          headers: { "Content-Range": "5-10" },
        });
        expect(ended.status).toBe(201);
      });

      test(`PUT of a blob ${framing}, ${ending}: nothing is published`, async () => {
        const location = await beginUpload(registry, "cut");
        const digest = digestOf(new TextEncoder().encode(sent));
        await registry.fetch("DELETE", `/v2/cut/blobs/${digest}`);
        // Even the digest of just what comes through must not make it a blob.
        await cut("PUT", withQuery(location, `digest=${digest}`));
        expect((await registry.fetch("HEAD", `/v2/cut/blobs/${digest}`)).status).toBe(404);
        expect(await rangeOf(location)).toBe("0-4");
      });

      test(`POST of a blob ${framing}, ${ending}: nothing is published, no session is left`, async () => {
        const digest = digestOf(new TextEncoder().encode(sent));
        await registry.fetch("DELETE", `/v2/cut-post/blobs/${digest}`);
        await cut("POST", `/v2/cut-post/blobs/uploads/?digest=${digest}`);
        expect((await registry.fetch("HEAD", `/v2/cut-post/blobs/${digest}`)).status).toBe(404);
        const uploads = await registry.context.metadata.read.all(
          "select u.id from uploads u join repositories r on r.id = u.repository_id where r.name = 'cut-post'",
        );
        expect(uploads).toEqual([]);
      });
    }
  }

  test.each(Object.entries({ chunked: true, "with Content-Length": false }))(
    "PUT of a manifest %s: nothing is stored",
    async (_framing, chunked) => {
      // What comes through is a whole manifest by itself.
      const manifest = JSON.stringify(indexOf([]));
      using connection = await registry.connect();
      const framing = chunked ? "Transfer-Encoding: chunked\r\n" : "Content-Length: 1000\r\n";
      const type = `Content-Type: ${mediaTypes.ociIndex}\r\n`;
      const path = "/v2/cut/manifests/cut";
      connection.send(head("PUT", path, framing + type) + (chunked ? chunk(manifest) : manifest));
      const { length } = manifest;
      await waitUntil("the body", () => registry.lastLog().bytesReceived === length, quickly);
      connection.socket.end();
      await waitUntil("its end", () => registry.lastLog().errorCode === "body_cut_off", quickly);
      expect((await registry.fetch("GET", path)).status).toBe(404);
    },
  );
});

describe("a client that stops sending", () => {
  const stall = defaultOciSettings.bodyStallMilliseconds;

  test("holds its session no longer than twice the limit, and then gets 408", async () => {
    const location = await beginUpload(registry, "stall");
    using stalled = await registry.connect();
    stalled.send(`${head("PATCH", location, "Content-Length: 100\r\n")}hello`);
    await waitUntil("the body", () => registry.lastLog().bytesReceived === 5, quickly);

    // Asking does not wait for the one who holds the session.
    expect((await registry.fetch("GET", location)).status).toBe(204);
    let answered = false;
    const next = registry
      .fetch("PATCH", location, { body: " world", headers: { "Content-Range": "5-10" } })
      .finally(() => {
        answered = true;
      });
    expect((await registry.fetch("GET", location)).status).toBe(204);
    expect(answered).toBe(false);

    registry.clock.advance(stall);
    await Bun.sleep(0);
    registry.clock.advance(stall);
    const [response] = parseResponses(await stalled.closed(), ["PATCH"]);
    expect(response?.status).toBe(408);
    expect(JSON.parse(response?.body ?? "")).toMatchObject({ errors: [{ code: "SIZE_INVALID" }] });
    expect((await next).status).toBe(202);
    expect(await rangeOf(location)).toBe("0-10");
  });

  test("while its manifest is read gets 408, and nothing is stored", async () => {
    using stalled = await registry.connect();
    stalled.send(`${head("PUT", "/v2/stall/manifests/a", "Content-Length: 100\r\n")}{`);
    await waitUntil("the body", () => registry.lastLog().bytesReceived === 1, quickly);
    registry.clock.advance(stall);
    await Bun.sleep(0);
    registry.clock.advance(stall);
    expect(await stalled.closed()).toStartWith("HTTP/1.1 408 ");
    expect((await registry.fetch("GET", "/v2/stall/manifests/a")).status).toBe(404);
  });

  test("but sends a byte now and then is waited for", async () => {
    const location = await beginUpload(registry, "drip");
    using slow = await registry.connect();
    slow.send(head("PATCH", location, "Transfer-Encoding: chunked\r\n"));
    const bytes = "drip by drip";
    for (const [i, byte] of [...bytes].entries()) {
      slow.send(chunk(byte));
      await waitUntil("the byte", () => registry.lastLog().bytesReceived === i + 1, quickly);
      registry.clock.advance(stall - 1);
      await Bun.sleep(0);
    }
    slow.send("0\r\n\r\n");
    expect(await slow.receive("\r\n\r\n")).toStartWith("HTTP/1.1 202 ");
    expect(await rangeOf(location)).toBe(`0-${bytes.length - 1}`);
  });
});

describe("an answer that needs no body does not wait for it", () => {
  const gigabyte = "Content-Length: 1073741824\r\n";
  const early: Record<string, readonly [method: string, path: string, status: number, boolean?]> = {
    "401 of a PATCH": ["PATCH", "/v2/a/blobs/uploads/0", 401, false],
    "401 of a PUT": ["PUT", "/v2/a/manifests/b", 401, false],
    "401 of a POST": ["POST", `/v2/a/blobs/uploads/?digest=${absentDigest}`, 401, false],
    "404 of a session": ["PATCH", "/v2/a/blobs/uploads/0-0", 404],
    "404 of a route": ["PUT", "/v2/nothing", 404],
    "400 of a name": ["PUT", "/v2/UPPER/manifests/b", 400],
    "400 of a digest": ["PUT", "/v2/a/blobs/uploads/0-0?digest=bad", 400],
    "400 of a tag": ["PUT", "/v2/a/manifests/-", 400],
    "405 of a method": ["POST", "/v2/a/manifests/b", 405],
    "413 of a manifest": ["PUT", "/v2/a/manifests/b", 413],
  };
  for (const [name, [method, path, status, authorized = true]] of Object.entries(early)) {
    for (const expects of [false, true]) {
      test(`${name}${expects ? ", with Expect: 100-continue" : ""}`, async () => {
        using connection = await registry.connect();
        const headers = `${gigabyte}${expects ? "Expect: 100-continue\r\n" : ""}`;
        connection.send(head(method, path, headers, authorized));
        const received = await connection.receive('{"errors":[');
        const responses = parseResponses(received, [method]);
        // Bun has answered 100 by then: it does so before any code of ours sees the request.
        expect(responses.map((response) => response.status)).toEqual(
          expects ? [100, status] : [status],
        );
        expect(responses.at(-1)?.headers["content-type"]).toBe("application/json");
      });
    }
  }

  test("416 of a chunk out of order", async () => {
    const location = await beginUpload(registry, "early");
    using connection = await registry.connect();
    connection.send(head("PATCH", location, `${gigabyte}Content-Range: 5-1073741828\r\n`));
    expect(await connection.receive('{"errors":[')).toStartWith("HTTP/1.1 416 ");
    expect(await rangeOf(location)).toBe("0-0");
  });
});

describe("after an early answer the connection is still in step", () => {
  const smuggled = `DELETE /v2/victim/manifests/latest HTTP/1.1\r\nHost: x\r\n${authorization}\r\n`;

  async function expectInStep(first: string, body: readonly string[], status: number) {
    const before = await registry.context.metadata.read.all("select count(*) as n from changes");
    using connection = await registry.connect();
    connection.send(first);
    await connection.receive('{"errors":[');
    for (const part of body) connection.send(part);
    connection.send(head("GET", "/v2/next/tags/list", ""));
    const received = await connection.receive('"NAME_UNKNOWN"');
    const statuses = parseResponses(received, ["PUT", "GET"]).map((response) => response.status);
    expect(statuses).toEqual([status, 404]);
    const after = await registry.context.metadata.read.all("select count(*) as n from changes");
    expect(after).toEqual(before);
  }

  beforeAll(async () => {
    await registry.fetch("PUT", "/v2/victim/manifests/latest", {
      body: json(indexOf([])),
      headers: { "Content-Type": mediaTypes.ociIndex },
    });
  });
  afterAll(async () => {
    expect((await registry.fetch("HEAD", "/v2/victim/manifests/latest")).status).toBe(200);
  });

  const length = `Content-Length: ${smuggled.length}\r\n`;
  const chunked = "Transfer-Encoding: chunked\r\n";

  test("a body with a length that was never read", async () => {
    await expectInStep(head("PUT", "/v2/a/manifests/b", length, false), [smuggled], 401);
  });

  test("a chunked body that was never read", async () => {
    const body = [chunk(smuggled), "0\r\n\r\n"];
    await expectInStep(head("PUT", "/v2/a/manifests/b", chunked, false), body, 401);
  });

  test("a chunked body of which only the beginning was read", async () => {
    await using small = await serveRegistry({ settings: { manifestBytesLimit: 10 } });
    using connection = await small.connect();
    connection.send(head("PUT", "/v2/a/manifests/b", chunked) + chunk("x".repeat(20)));
    await connection.receive('{"errors":[');
    connection.send(`${chunk(smuggled)}0\r\n\r\n`);
    connection.send(head("GET", "/v2/next/tags/list", ""));
    const received = await connection.receive('"NAME_UNKNOWN"');
    const statuses = parseResponses(received, ["PUT", "GET"]).map((response) => response.status);
    expect(statuses).toEqual([413, 404]);
  });

  test("the body of a method that reads none", async () => {
    const first = head("DELETE", "/v2/a/manifests/-", length);
    await expectInStep(first, [smuggled], 400);
    await expectInStep(head("GET", "/v2/UPPER/tags/list", length), [smuggled], 400);
  });

  test("requests one behind the other in one packet are answered one by one or not at all", async () => {
    using connection = await registry.connect();
    const both = [
      head("PATCH", "/v2/a/blobs/uploads/0-0", length) + smuggled,
      head("GET", "/v2/next/tags/list", ""),
    ];
    connection.send(both.join(""));
    const received = await connection.receive('"NAME_UNKNOWN"');
    const statuses = parseResponses(received, ["PATCH", "GET"]).map(({ status }) => status);
    expect([[404, 404], [404], []]).toContainEqual(statuses);
  });
});

test("a slow disk slows the client down: bytes do not gather in memory", async () => {
  const gate = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  const behindGate = (store: BlobStore): BlobStore => ({
    ...store,
    async stage(uploadId) {
      const stage = await store.stage(uploadId);
      return Object.assign(Object.create(stage), {
        async append(chunks: AsyncIterable<Uint8Array>) {
          await stage.append(
            (async function* () {
              for await (const each of chunks) {
                arrived.resolve();
                await gate.promise;
                yield each;
              }
            })(),
          );
        },
      });
    },
  });
  await using slow = await serveRegistry({ wrapBlobs: behindGate });
  const location = await beginUpload(slow, "a");
  const total = 64 * 1024 * 1024;
  const block = bytesOf("block", 1024 * 1024);
  using connection = await slow.connect();
  connection.send(head("PATCH", location, `Content-Length: ${total}\r\n`));
  let sent = 0;
  const sending = (async () => {
    for (; sent < total; sent += block.length) {
      if (!connection.socket.write(block)) {
        await new Promise((resolve) => connection.socket.once("drain", resolve));
      }
    }
  })();
  await arrived.promise;
  let last = -1;
  const stopped = () => {
    const same = sent === last;
    last = sent;
    return same;
  };
  await waitUntil("the client to be stopped", stopped, { intervalMilliseconds: 200 });
  // Kernel buffers of both sides and one chunk: far from everything.
  expect(sent).toBeLessThan(24 * 1024 * 1024);
  gate.resolve();
  await sending;
  expect(await connection.receive("\r\n\r\n")).toStartWith("HTTP/1.1 202 ");
  expect((await slow.fetch("GET", location)).headers.get("range")).toBe(`0-${total - 1}`);
});

test("a client that goes away in the middle of a pull harms nobody", async () => {
  // More than the buffers of both kernels hold.
  const bytes = new Uint8Array(24 * 1024 * 1024);
  const digest = digestOf(bytes);
  await registry.fetch("POST", `/v2/pulled/blobs/uploads/?digest=${digest}`, { body: bytes });
  const path = `/v2/pulled/blobs/${digest}`;
  for (const range of ["", "Range: bytes=0-9,4000000-\r\n", "Range: bytes=100-\r\n"]) {
    using connection = await registry.connect();
    connection.send(head("GET", path, range));
    await connection.receive("\r\n\r\n");
    connection.reset();
  }
  await expectError(await registry.fetch("GET", "/v2/gone/tags/list"), 404, "NAME_UNKNOWN");
  const whole = await registry.fetch("GET", path);
  expect(digestOf(new Uint8Array(await whole.arrayBuffer()))).toBe(digest);
});
