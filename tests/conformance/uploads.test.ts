/** Every way to push a blob, with both digest algorithms, and every way to get it wrong. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { type DigestAlgorithm, digestAlgorithms, digestOf } from "../../src/image/digest.ts";
import {
  absentDigest,
  beginUpload,
  bodyOf,
  bytesOf,
  emptyDigest,
  expectError,
  locationOf,
  withQuery,
} from "../support/content.ts";
import { openRegistry, type TestRegistry } from "../support/registry.ts";

// A busy machine takes its time; nothing here waits for a clock.
setDefaultTimeout(30_000);

let registry: TestRegistry;
beforeAll(async () => {
  registry = await openRegistry();
});
afterAll(() => registry[Symbol.asyncDispose]());

const repository = "team/app";
const octets = { "Content-Type": "application/octet-stream" };

const post = (query: string, body?: Uint8Array, headers: Record<string, string> = octets) =>
  registry.request("POST", `/v2/${repository}/blobs/uploads/${query}`, {
    ...(body && { body }),
    headers,
  });
const patch = (location: string, body: Uint8Array | null, headers: Record<string, string> = {}) =>
  registry.request("PATCH", location, { body, headers });
const put = (
  location: string,
  digest: string,
  body: Uint8Array | null = null,
  headers: Record<string, string> = {},
) => registry.request("PUT", withQuery(location, `digest=${digest}`), { body, headers });
const chunkHeaders = (start: number, bytes: Uint8Array) => ({
  ...octets,
  "Content-Range": `${start}-${start + bytes.length - 1}`,
  "Content-Length": String(bytes.length),
});

async function expectAccepted(response: Response, heldBytes: number): Promise<string> {
  expect(response.status).toBe(202);
  expect(response.headers.get("range")).toBe(`0-${Math.max(0, heldBytes - 1)}`);
  const location = locationOf(response);
  expect(location).toStartWith(`/v2/${repository}/blobs/uploads/`);
  expect(location).toEndWith(response.headers.get("docker-upload-uuid") ?? "missing");
  expect(await bodyOf(response)).toHaveLength(0);
  return location;
}

async function expectCreated(response: Response, digest: string): Promise<void> {
  expect(response.status).toBe(201);
  expect(locationOf(response)).toBe(`/v2/${repository}/blobs/${digest}`);
  expect(response.headers.get("docker-content-digest")).toBe(digest);
  expect(await bodyOf(response)).toHaveLength(0);
}

async function expectStored(digest: string, bytes: Uint8Array): Promise<void> {
  const response = await registry.request("GET", `/v2/${repository}/blobs/${digest}`);
  expect(response.status).toBe(200);
  expect(await bodyOf(response)).toEqual(bytes);
}

async function expectAbsent(digest: string): Promise<void> {
  const response = await registry.request("HEAD", `/v2/${repository}/blobs/${digest}`);
  expect(response.status).toBe(404);
}

async function expectSessionGone(location: string): Promise<void> {
  await expectError(await registry.request("GET", location), 404, "BLOB_UPLOAD_UNKNOWN");
  await expectError(await patch(location, bytesOf("x")), 404, "BLOB_UPLOAD_UNKNOWN");
  await expectError(await put(location, absentDigest), 404, "BLOB_UPLOAD_UNKNOWN");
  await expectError(await registry.request("DELETE", location), 404, "BLOB_UPLOAD_UNKNOWN");
}

/** How a client can send a blob: each pushes `bytes` and returns the closing response. */
const forms: Record<string, (bytes: Uint8Array, digest: string) => Promise<Response>> = {
  "POST alone": (bytes, digest) => post(`?digest=${digest}`, bytes),
  "POST alone, the colon escaped": (bytes, digest) =>
    post(`?digest=${encodeURIComponent(digest)}`, bytes),
  "POST, PUT": async (bytes, digest) => put(await beginUpload(registry, repository), digest, bytes),
  "POST, PUT, the colon escaped": async (bytes, digest) =>
    put(await beginUpload(registry, repository), encodeURIComponent(digest), bytes),
  "POST, PATCH stream, PUT": async (bytes, digest) => {
    const location = await beginUpload(registry, repository);
    return put(await expectAccepted(await patch(location, bytes), bytes.length), digest);
  },
  "POST, PATCH stream, PUT on the first location": async (bytes, digest) => {
    const location = await beginUpload(registry, repository);
    await patch(location, bytes);
    return put(location, digest);
  },
  "POST, PATCH with length and type, PUT": async (bytes, digest) => {
    const location = await beginUpload(registry, repository);
    const headers = { ...octets, "Content-Length": String(bytes.length) };
    await expectAccepted(await patch(location, bytes, headers), bytes.length);
    return put(location, digest, null, { "Content-Length": "0" });
  },
  "POST, several PATCH streams, PUT": async (bytes, digest) => {
    let location = await beginUpload(registry, repository);
    for (let i = 0; i < bytes.length; i += 20) {
      const part = bytes.slice(i, i + 20);
      location = await expectAccepted(await patch(location, part), i + part.length);
    }
    return put(location, digest);
  },
  "POST, chunks, PUT": async (bytes, digest) => {
    let location = await beginUpload(registry, repository);
    for (let i = 0; i < bytes.length; i += 20) {
      const part = bytes.slice(i, i + 20);
      const response = await patch(location, part, chunkHeaders(i, part));
      location = await expectAccepted(response, i + part.length);
    }
    return put(location, digest);
  },
  "POST, chunks with `bytes`, PUT": async (bytes, digest) => {
    const location = await beginUpload(registry, repository);
    for (let i = 0; i < bytes.length; i += 20) {
      const part = bytes.slice(i, i + 20);
      const range = `bytes ${i}-${i + part.length - 1}/${bytes.length}`;
      await expectAccepted(
        await patch(location, part, { "Content-Range": range }),
        i + part.length,
      );
    }
    return put(location, digest);
  },
  "POST, chunks, PUT with the last chunk": async (bytes, digest) => {
    const location = await beginUpload(registry, repository);
    const [first, last] = [bytes.slice(0, 30), bytes.slice(30)];
    if (first.length > 0) {
      await expectAccepted(await patch(location, first, chunkHeaders(0, first)), first.length);
    }
    return put(location, digest, last, last.length > 0 ? chunkHeaders(first.length, last) : {});
  },
  "POST, PATCH stream, PUT with the last bytes": async (bytes, digest) => {
    const location = await beginUpload(registry, repository);
    await expectAccepted(await patch(location, bytes.slice(0, 30)), Math.min(30, bytes.length));
    return put(location, digest, bytes.slice(30));
  },
  "POST for sha512, PATCH stream, PUT": async (bytes, digest) => {
    const location = await beginUpload(registry, repository, "?digest-algorithm=sha512");
    await patch(location, bytes);
    return put(location, digest);
  },
  "POST for sha256, PATCH stream, PUT": async (bytes, digest) => {
    const location = await beginUpload(registry, repository, "?digest-algorithm=sha256");
    await patch(location, bytes);
    return put(location, digest);
  },
};

for (const algorithm of digestAlgorithms) {
  describe(algorithm, () => {
    for (const [form, push] of Object.entries(forms)) {
      for (const [size, length] of [
        ["a blob", 64],
        ["one byte", 1],
        ["nothing", 0],
      ] as const) {
        test(`${form}: ${size}`, async () => {
          const bytes = bytesOf(`${algorithm} ${form}`, length);
          const digest = digestOf(bytes, algorithm);
          await expectCreated(await push(bytes, digest), digest);
          await expectStored(digest, bytes);
        });
      }

      test(`${form}: the wrong digest`, async () => {
        const bytes = bytesOf(`wrong ${algorithm} ${form}`);
        const wrong = digestOf(bytesOf(`another ${form}`), algorithm);
        const { detail } = await expectError(await push(bytes, wrong), 400, "DIGEST_INVALID");
        expect(detail).toEqual({ expected: wrong, actual: digestOf(bytes, algorithm) });
        await expectAbsent(wrong);
        await expectAbsent(digestOf(bytes, algorithm));
      });
    }
  });
}

test("a blob of nothing is the well-known one", async () => {
  await expectCreated(await post(`?digest=${emptyDigest}`), emptyDigest);
  const head = await registry.request("HEAD", `/v2/${repository}/blobs/${emptyDigest}`);
  expect(head.headers.get("content-length")).toBe("0");
});

describe("a session", () => {
  test("begins without a slash at the end of the path too, and with a body of nothing", async () => {
    const response = await registry.request("POST", `/v2/${repository}/blobs/uploads`, {
      headers: { "Content-Length": "0" },
    });
    expect(response.headers.get("range")).toBe("0-0");
    await expectAccepted(response, 0);
  });

  test("has an id of its own each time", async () => {
    const locations = await Promise.all(
      Array.from({ length: 20 }, () => beginUpload(registry, repository)),
    );
    expect(new Set(locations).size).toBe(20);
  });

  test("tells how much is here", async () => {
    const location = await beginUpload(registry, repository);
    for (const held of [0, 10, 20]) {
      const response = await registry.request("GET", location);
      expect(response.status).toBe(204);
      expect(response.headers.get("range")).toBe(`0-${Math.max(0, held - 1)}`);
      expect(locationOf(response)).toBe(location);
      await patch(location, bytesOf(held, 10));
    }
  });

  test("keeps query parameters that clients were given or add", async () => {
    const bytes = bytesOf("query");
    const location = withQuery(await beginUpload(registry, repository), "_state=abc&x");
    await expectAccepted(await patch(location, bytes), bytes.length);
    await expectCreated(await put(location, digestOf(bytes)), digestOf(bytes));
  });

  test("is gone after it was finished", async () => {
    const location = await beginUpload(registry, repository);
    await put(location, digestOf(bytesOf("finished")), bytesOf("finished"));
    await expectSessionGone(location);
  });

  test("is gone after a digest that was wrong", async () => {
    const location = await beginUpload(registry, repository);
    await expectError(await put(location, absentDigest, bytesOf("a")), 400, "DIGEST_INVALID");
    await expectSessionGone(location);
  });

  test("is gone after it was cancelled, and with it its bytes", async () => {
    const location = await beginUpload(registry, repository);
    await patch(location, bytesOf("cancelled"));
    const response = await registry.request("DELETE", location);
    expect(response.status).toBe(204);
    expect(await bodyOf(response)).toHaveLength(0);
    await expectSessionGone(location);
    await expectAbsent(digestOf(bytesOf("cancelled")));
  });

  test("belongs to its repository", async () => {
    const location = await beginUpload(registry, repository);
    const elsewhere = location.replace(repository, "team/other");
    await expectError(await registry.request("GET", elsewhere), 404, "BLOB_UPLOAD_UNKNOWN");
    await expectError(await patch(elsewhere, bytesOf("x")), 404, "BLOB_UPLOAD_UNKNOWN");
    await expectError(await registry.request("DELETE", elsewhere), 404, "BLOB_UPLOAD_UNKNOWN");
    expect((await registry.request("GET", location)).status).toBe(204);
  });

  test("survives a PUT whose digest is missing or malformed", async () => {
    const location = await beginUpload(registry, repository);
    const bytes = bytesOf("survives");
    await patch(location, bytes);
    await expectError(await registry.request("PUT", location), 400, "DIGEST_INVALID");
    for (const digest of ["", "sha256:short", "sha256", `md5:${"a".repeat(32)}`, "%00"]) {
      await expectError(await put(location, digest), 400, "DIGEST_INVALID");
    }
    await expectCreated(await put(location, digestOf(bytes)), digestOf(bytes));
  });

  test("is refused for an algorithm that is not supported", async () => {
    for (const algorithm of ["md5", "blake3", "SHA256", "sha256:", ""]) {
      await expectError(await post(`?digest-algorithm=${algorithm}`), 400, "DIGEST_INVALID");
    }
  });

  test("expires only when nobody touches it", async () => {
    const { expireUploads } = await import("../../src/registry/expire-uploads.ts");
    await using own = await openRegistry();
    const { uploadExpiryMilliseconds } = own.context.settings;
    const idle = await beginUpload(own, repository);
    const used = await beginUpload(own, repository);
    own.clock.advance(uploadExpiryMilliseconds * 0.6);
    await own.request("PATCH", used, { body: bytesOf("used") });
    own.clock.advance(uploadExpiryMilliseconds * 0.6);
    expect(await expireUploads(own.context)).toBe(1);
    expect((await own.request("GET", idle)).status).toBe(404);
    expect((await own.request("GET", used)).status).toBe(204);
  });

  test("is one of a limited number in a repository", async () => {
    await using own = await openRegistry({ settings: { uploadsPerRepositoryLimit: 2 } });
    const first = await beginUpload(own, "a");
    await beginUpload(own, "a");
    const refused = await own.request("POST", "/v2/a/blobs/uploads/");
    expect(refused.headers.get("retry-after")).toBe("60");
    await expectError(refused, 429, "TOOMANYREQUESTS");
    await beginUpload(own, "b");
    await own.request("DELETE", first);
    await beginUpload(own, "a");
  });
});

describe("a chunk", () => {
  const first = bytesOf("first", 10);
  const second = bytesOf("second", 10);

  async function sessionWithFirst(): Promise<string> {
    const location = await beginUpload(registry, repository);
    return expectAccepted(await patch(location, first, chunkHeaders(0, first)), 10);
  }

  async function expectOutOfOrder(response: Response, heldBytes: number, location: string) {
    expect(response.headers.get("range")).toBe(`0-${Math.max(0, heldBytes - 1)}`);
    expect(locationOf(response)).toBe(location);
    await expectError(response, 416, "BLOB_UPLOAD_INVALID");
    const state = await registry.request("GET", location);
    expect(state.headers.get("range")).toBe(`0-${Math.max(0, heldBytes - 1)}`);
  }

  test.each(["PATCH", "PUT"])("by %s must begin where the last one ended", async (method) => {
    for (const start of [0, 5, 9, 11, 1000]) {
      const location = await sessionWithFirst();
      const target = method === "PUT" ? withQuery(location, `digest=${absentDigest}`) : location;
      const response = await registry.request(method, target, {
        body: second,
        headers: chunkHeaders(start, second),
      });
      await expectOutOfOrder(response, 10, location);
    }
  });

  test("that comes first begins at 0", async () => {
    const location = await beginUpload(registry, repository);
    await expectOutOfOrder(await patch(location, first, chunkHeaders(1, first)), 0, location);
  });

  test("can be followed by the right one after a wrong one", async () => {
    const location = await sessionWithFirst();
    await patch(location, second, chunkHeaders(5, second));
    await expectAccepted(await patch(location, second, chunkHeaders(10, second)), 20);
    const digest = digestOf(Buffer.concat([first, second]));
    await expectCreated(await put(location, digest), digest);
  });

  test.each(["", "10", "10-5", "a-b", "bytes", "-5", "10-19,20-29"])(
    "with the Content-Range %p is refused and changes nothing",
    async (range) => {
      const location = await sessionWithFirst();
      const response = await patch(location, second, { "Content-Range": range });
      await expectError(response, 400, "BLOB_UPLOAD_INVALID");
      const state = await registry.request("GET", location);
      expect(state.headers.get("range")).toBe("0-9");
    },
  );

  test.each([
    ["longer than its range, with a length", { "Content-Length": "10" }],
    ["longer than its range, without a length", {}],
  ])("%s is refused, and no byte too many is kept", async (_what, headers) => {
    const location = await sessionWithFirst();
    const response = await patch(location, second, { "Content-Range": "10-14", ...headers });
    await expectError(response, 400, "SIZE_INVALID");
    const state = await registry.request("GET", location);
    expect(state.headers.get("range")).toBe("0-9");
  });

  test("shorter than its range is refused, and keeps a prefix at most", async () => {
    const location = await sessionWithFirst();
    const response = await patch(location, second, { "Content-Range": "10-29" });
    await expectError(response, 400, "SIZE_INVALID");
    const state = await registry.request("GET", location);
    expect(state.headers.get("range")).toBe("0-19");
    const digest = digestOf(Buffer.concat([first, second]));
    await expectCreated(await put(location, digest), digest);
  });

  test("that is longer than a blob may be is refused before it is read", async () => {
    await using own = await openRegistry({ settings: { blobBytesLimit: 100 } });
    const location = await beginUpload(own, "a");
    let read = false;
    const body = new ReadableStream(
      {
        pull() {
          read = true;
        },
      },
      { highWaterMark: 0 },
    );
    const headers = { "Content-Length": "101" };
    await expectError(await own.request("PATCH", location, { body, headers }), 413, "SIZE_INVALID");
    expect(read).toBe(false);
  });

  test("that grows beyond the limit without a length is stopped", async () => {
    await using own = await openRegistry({ settings: { blobBytesLimit: 100 } });
    const location = await beginUpload(own, "a");
    await own.request("PATCH", location, { body: bytesOf("a", 60) });
    const response = await own.request("PATCH", location, { body: bytesOf("b", 41) });
    await expectError(response, 413, "SIZE_INVALID");
    expect((await own.request("GET", location)).headers.get("range")).toBe("0-59");
  });

  test("sent with the POST begins at 0", async () => {
    const response = await post(`?digest=${digestOf(second)}`, second, chunkHeaders(10, second));
    await expectError(response, 400, "BLOB_UPLOAD_INVALID");
    await expectCreated(
      await post(`?digest=${digestOf(second)}`, second, chunkHeaders(0, second)),
      digestOf(second),
    );
  });
});

test.each<DigestAlgorithm>(["sha256", "sha512"])(
  "a POST with a wrong %s leaves no session behind",
  async (algorithm) => {
    await using own = await openRegistry({ settings: { uploadsPerRepositoryLimit: 1 } });
    const wrong = digestOf(bytesOf("other"), algorithm);
    for (let i = 0; i < 3; i++) {
      const response = await own.request("POST", `/v2/a/blobs/uploads/?digest=${wrong}`, {
        body: bytesOf("sent"),
      });
      await expectError(response, 400, "DIGEST_INVALID");
    }
    await beginUpload(own, "a");
  },
);
