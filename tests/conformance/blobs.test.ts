/** Pulling blobs: whole, in ranges, under conditions. From memory and from disk. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { digestAlgorithms, digestOf } from "../../src/image/digest.ts";
import {
  absentDigest,
  bodyOf,
  bytesOf,
  emptyDigest,
  expectError,
  pushBlob,
} from "../support/content.ts";
import { parseByteRanges } from "../support/multipart.ts";
import { type ServedRegistry, serveRegistry } from "../support/served-registry.ts";

// A busy machine takes its time; nothing here waits for a clock.
setDefaultTimeout(30_000);

const repository = "team/app";
const size = 10_000;
const content = bytesOf("blob", size);

for (const storage of ["memory", "disk"] as const) {
  describe(storage, () => {
    let registry: ServedRegistry;
    let digest: string;
    beforeAll(async () => {
      registry = await serveRegistry({ storage });
      ({ digest } = await pushBlob(registry, repository, content));
    });
    afterAll(() => registry[Symbol.asyncDispose]());

    const get = (headers: Record<string, string> = {}, of = digest) =>
      registry.fetch("GET", `/v2/${repository}/blobs/${of}`, { headers });

    async function expectRange(range: string, start: number, end: number) {
      const response = await get({ Range: range });
      expect(response.status).toBe(206);
      expect(response.headers.get("content-range")).toBe(`bytes ${start}-${end}/${size}`);
      expect(response.headers.get("content-length")).toBe(String(end - start + 1));
      expect(response.headers.get("docker-content-digest")).toBe(digest);
      expect(await bodyOf(response)).toEqual(content.slice(start, end + 1));
    }

    async function expectWhole(headers: Record<string, string>) {
      const response = await get(headers);
      expect(response.status).toBe(200);
      expect(response.headers.get("content-range")).toBeNull();
      expect(response.headers.get("content-length")).toBe(String(size));
      expect(await bodyOf(response)).toEqual(content);
    }

    async function expectParts(ranges: readonly (readonly [number, number])[], given?: string) {
      const specification = given ?? ranges.map(([start, end]) => `${start}-${end}`).join(",");
      const response = await get({ Range: `bytes=${specification}` });
      expect(response.status).toBe(206);
      const body = await bodyOf(response);
      expect(response.headers.get("content-range")).toBeNull();
      const parts = parseByteRanges(response.headers.get("content-type") ?? "", body);
      expect(parts.map(({ start, end }) => [start, end])).toEqual(
        ranges.map((range) => [...range]),
      );
      for (const part of parts) {
        expect(part.total).toBe(size);
        expect(part.contentType).toBe("application/octet-stream");
        expect(Buffer.compare(part.bytes, content.subarray(part.start, part.end + 1))).toBe(0);
      }
    }

    test("is served whole with the headers that clients need", async () => {
      const response = await get();
      expect(response.status).toBe(200);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        "accept-ranges": "bytes",
        "cache-control": "private, max-age=31536000, immutable",
        "content-length": String(size),
        "content-type": "application/octet-stream",
        "docker-content-digest": digest,
        etag: `"${digest}"`,
        "x-content-type-options": "nosniff",
      });
      expect(await bodyOf(response)).toEqual(content);
    });

    test("is never compressed, whatever the client could undo", async () => {
      const response = await get({ "Accept-Encoding": "gzip, zstd, br" });
      expect(response.headers.get("content-encoding")).toBeNull();
      expect(response.headers.get("vary")).toBeNull();
      expect(response.headers.get("content-length")).toBe(String(size));
      expect(await bodyOf(response)).toEqual(content);
    });

    test.each(digestAlgorithms)("is found under %s", async (algorithm) => {
      const bytes = bytesOf(`found ${algorithm}`);
      const pushed = await pushBlob(registry, repository, bytes, algorithm);
      const response = await get({}, encodeURIComponent(pushed.digest));
      expect(response.headers.get("docker-content-digest")).toBe(pushed.digest);
      expect(await bodyOf(response)).toEqual(bytes);
      const other = digestOf(bytes, algorithm === "sha256" ? "sha512" : "sha256");
      await expectError(await get({}, other), 404, "BLOB_UNKNOWN");
    });

    test("of nothing is served", async () => {
      await pushBlob(registry, repository, new Uint8Array());
      for (const headers of [{}, { Range: "bytes=0-" }, { Range: "bytes=-5" }]) {
        const response = await get(headers, emptyDigest);
        expect(response.status).toBe(200);
        expect(response.headers.get("content-length")).toBe("0");
        expect(await bodyOf(response)).toHaveLength(0);
      }
    });

    test("that is not here is 404", async () => {
      const error = await expectError(await get({}, absentDigest), 404, "BLOB_UNKNOWN");
      expect(error.detail).toEqual({ digest: absentDigest });
      const head = await registry.fetch("HEAD", `/v2/${repository}/blobs/${absentDigest}`);
      expect(head.status).toBe(404);
    });

    test.each([
      "sha256:baddigeststring",
      `sha256:${"A".repeat(64)}`,
      `blake3:${"a".repeat(64)}`,
      "x",
    ])("under %s is 400", async (malformed) => {
      await expectError(await get({}, malformed), 400, "DIGEST_INVALID");
    });

    test.each([
      ["bytes=0-0", 0, 0],
      ["bytes=500-1499", 500, 1499],
      ["bytes=500-", 500, size - 1],
      ["bytes=-500", size - 500, size - 1],
      ["bytes=0-", 0, size - 1],
      [`bytes=-${size * 2}`, 0, size - 1],
      ["bytes=2000-999999", 2000, size - 1],
      [`bytes=${size - 1}-`, size - 1, size - 1],
      ["bytes=0-99,50-149", 0, 149],
      ["bytes=0-99,100-199", 0, 199],
      [`bytes=0-99,${size}-`, 0, 99],
    ])("%s is one range", async (range, start, end) => {
      await expectRange(range, start, end);
    });

    test.each([`bytes=${size}-`, "bytes=500-0", "bytes=999999-9999999", "bytes=-0"])(
      "%s is 416",
      async (range) => {
        const response = await get({ Range: range });
        expect(response.headers.get("content-range")).toBe(`bytes */${size}`);
        await expectError(response, 416, "RANGE_INVALID");
      },
    );

    test.each(["bytes=", "bytes=a-b", "octets=0-1", "bytes=0-1;3-4", "bytes=-"])(
      "%s is ignored",
      async (range) => {
        await expectWhole({ Range: range });
      },
    );

    test("two ranges are a multipart response, byte for byte", async () => {
      await expectParts([
        [0, 9],
        [100, 199],
      ]);
    });

    test("ranges come in the order of the request", async () => {
      await expectParts([
        [9000, 9999],
        [0, 0],
        [500, 600],
      ]);
    });

    test("ranges that overlap are merged", async () => {
      await expectParts(
        [
          [0, 15],
          [100, 105],
        ],
        "0-9,5-15,100-105",
      );
    });

    test("ranges with an open end and from the end", async () => {
      await expectParts(
        [
          [0, 4],
          [9990, 9999],
        ],
        "0-4,-10",
      );
    });

    test("256 ranges are served, more are the whole blob", async () => {
      const ranges = Array.from({ length: 256 }, (_, i) => [i * 20, i * 20 + 9] as const);
      await expectParts(ranges);
      const more = Array.from({ length: 257 }, (_, i) => `${i * 20}-${i * 20 + 9}`).join(",");
      await expectWhole({ Range: `bytes=${more}` });
    });

    test("more bytes than there are is the whole blob", async () => {
      await expectWhole({ Range: "bytes=5-,4-,3-,2-,1-,0-" });
    });

    test("any ranges give exactly their bytes", async () => {
      const offset = fc.nat({ max: size - 1 });
      const range = fc.tuple(offset, offset).map(([a, b]) => [Math.min(a, b), Math.max(a, b)]);
      await fc.assert(
        fc.asyncProperty(fc.array(range, { minLength: 1, maxLength: 8 }), async (ranges) => {
          const response = await get({
            Range: `bytes=${ranges.map((pair) => pair.join("-")).join(",")}`,
          });
          const body = await bodyOf(response);
          const covered = new Set<number>();
          if (response.status === 200) {
            expect(body).toEqual(content);
            return;
          }
          const single = /^bytes (\d+)-(\d+)\//.exec(response.headers.get("content-range") ?? "");
          const parts =
            single === null
              ? parseByteRanges(response.headers.get("content-type") ?? "", body)
              : [{ start: Number(single[1]), end: Number(single[2]), bytes: body }];
          for (const { start, end, bytes } of parts) {
            expect(Buffer.compare(bytes, content.subarray(start, end + 1))).toBe(0);
            for (let i = start; i <= end; i++) covered.add(i);
          }
          const wanted = new Set<number>();
          for (const [start = 0, end = -1] of ranges) {
            for (let i = start; i <= end; i++) wanted.add(i);
          }
          expect(covered.size).toBe(wanted.size);
        }),
        { numRuns: 40 },
      );
    });

    test.each([
      ["If-None-Match", (tag: string) => tag],
      ["If-None-Match weakly", (tag: string) => `W/${tag}`],
      ["If-None-Match of several", (tag: string) => `"x", ${tag}`],
      ["If-None-Match of anything", () => "*"],
    ])("%s is 304 without a body", async (_what, header) => {
      const response = await get({ "If-None-Match": header(`"${digest}"`), Range: "bytes=0-1" });
      expect(response.status).toBe(304);
      expect(response.headers.get("etag")).toBe(`"${digest}"`);
      expect(await bodyOf(response)).toHaveLength(0);
    });

    test("If-None-Match of something else is the whole", async () => {
      await expectWhole({ "If-None-Match": `"${absentDigest}"` });
    });

    test("If-Range gives the range only of this very content", async () => {
      const range = { Range: "bytes=0-9" };
      expect((await get({ ...range, "If-Range": `"${digest}"` })).status).toBe(206);
      await expectWhole({ ...range, "If-Range": `"${absentDigest}"` });
      await expectWhole({ ...range, "If-Range": `W/"${digest}"` });
      await expectWhole({ ...range, "If-Range": "Wed, 21 Oct 2026 07:28:00 GMT" });
    });

    test("HEAD ignores ranges", async () => {
      const response = await registry.fetch("HEAD", `/v2/${repository}/blobs/${digest}`, {
        headers: { Range: "bytes=0-9" },
      });
      expect(response.status).toBe(200);
      expect(response.headers.get("content-length")).toBe(String(size));
    });
  });
}
