/**
 * The specification of the blob store's boundary: every driver passes it. What the collector and
 * the scrubber need of it stands in `blob-withdrawal.test.ts`.
 */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { BlobStage, BlobStore } from "../../src/blobs/blob-store.ts";
import { type Digest, digestOf } from "../../src/image/digest.ts";

/** A place for blobs of a test's own. */
export interface BlobStoreFixture {
  /** The driver on that place; called again, it is the driver after a restart. */
  open(): Promise<BlobStore>;
  remove(): Promise<void>;
}

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** Bytes that differ everywhere, so that a shifted or repeated piece is seen. */
export function pattern(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = seed;
  for (let i = 0; i < words.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    words[i] = state;
  }
  return new Uint8Array(words.buffer, 0, length);
}

export async function* chunks(...parts: Uint8Array[]): AsyncIterable<Uint8Array> {
  yield* parts;
}

async function* failingAfter(error: Error, ...parts: Uint8Array[]): AsyncIterable<Uint8Array> {
  yield* parts;
  throw error;
}

function expectSame(actual: Uint8Array | undefined, expected: Uint8Array): void {
  expect(actual?.byteLength).toBe(expected.byteLength);
  expect(Buffer.compare(actual ?? new Uint8Array(), expected)).toBe(0);
}

export function blobStoreContract(create: () => Promise<BlobStoreFixture>): void {
  let fixture: BlobStoreFixture;
  let store: BlobStore;
  let uploads = 0;

  beforeEach(async () => {
    fixture = await create();
    store = await fixture.open();
  });
  afterEach(async () => {
    await store.close();
    await fixture.remove();
  });

  const newStage = () => store.stage(`upload-${++uploads}`);

  async function staged(...parts: Uint8Array[]): Promise<BlobStage> {
    const stage = await newStage();
    await stage.append(chunks(...parts));
    return stage;
  }

  async function publish(bytes: Uint8Array, under: Digest = digestOf(bytes)): Promise<Digest> {
    const stage = await staged(bytes);
    await stage.publish(under);
    await stage.discard();
    return under;
  }

  const content = async (digest: Digest) => (await store.read(digest))?.bytes();

  describe("blobs", () => {
    test("that were never published are not there", async () => {
      expect(await store.stat(digestOf(bytesOf("none")))).toBeUndefined();
      expect(await store.read(digestOf(bytesOf("none")))).toBeUndefined();
      expect(await Array.fromAsync(store.list())).toEqual([]);
    });

    test("are read as they were published, under sha256 and sha512", async () => {
      const bytes = pattern(100_000);
      for (const algorithm of ["sha256", "sha512"] as const) {
        const digest = await publish(bytes, digestOf(bytes, algorithm));
        expect(await store.stat(digest)).toMatchObject({ digest, size: bytes.byteLength });
        expectSame(await content(digest), bytes);
      }
    });

    test("without bytes are blobs like others", async () => {
      const empty = digestOf(new Uint8Array());
      const stage = await newStage();
      expect(stage.size).toBe(0);
      expect((await stage.read()).size).toBe(0);
      await stage.publish(empty);
      await stage.discard();
      expect(await store.stat(empty)).toMatchObject({ digest: empty, size: 0 });
      expectSame(await content(empty), new Uint8Array());
      expect((await store.read(empty))?.size).toBe(0);
      // The same when an empty body was appended.
      const appended = await staged(new Uint8Array());
      await appended.publish(empty);
      expect(await store.stat(empty)).toMatchObject({ size: 0 });
    });

    test("are read in slices, lazily and as a stream", async () => {
      const bytes = pattern(3_000_000);
      const blob = await store.read(await publish(bytes));
      if (blob === undefined) throw new Error("the blob is not there");
      expect(blob.size).toBe(bytes.byteLength);
      const ranges: [start: number, end?: number][] = [[0, 1], [0, 0], [10, 20], [2_999_999]];
      ranges.push(
        [1_500_000, 2_700_001],
        [2_999_990, 9_000_000],
        [0],
        [-5],
        [5_000_000, 6_000_000],
      );
      for (const range of ranges) {
        expectSame(await blob.slice(...range).bytes(), bytes.slice(...range));
      }
      expectSame(await blob.slice(100, 2_000_000).slice(5, 70).bytes(), bytes.slice(105, 170));
      const streamed: Uint8Array[] = [];
      for await (const chunk of blob.slice(7, 2_000_007).stream()) streamed.push(chunk);
      expectSame(Buffer.concat(streamed), bytes.slice(7, 2_000_007));
    });

    test("are listed once each, with their sizes", async () => {
      const digests = new Map<string, number>();
      for (let i = 0; i < 20; i++) {
        const bytes = pattern(i * 10, i);
        digests.set(await publish(bytes), bytes.byteLength);
      }
      const long = pattern(10);
      digests.set(await publish(long, digestOf(long, "sha512")), 10);
      const listed = await Array.fromAsync(store.list());
      expect(listed).toHaveLength(digests.size);
      for (const { digest, size } of listed) expect(digests.get(digest)).toBe(size);
    });

    test("stay readable when the same bytes are published again meanwhile", async () => {
      const bytes = pattern(2_000_000);
      const digest = await publish(bytes);
      const blob = await store.read(digest);
      const reader = blob?.stream().getReader();
      const first = await reader?.read();
      await publish(bytes);
      const rest: Uint8Array[] = [first?.value ?? new Uint8Array()];
      for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
        rest.push(part.value);
      }
      expectSame(Buffer.concat(rest), bytes);
    });
  });

  describe("a stage", () => {
    test("takes bytes in pieces of any size, and its size is the offset of the next", async () => {
      const bytes = pattern(5_000_000);
      const stage = await newStage();
      let offset = 0;
      for (const length of [1, 0, 999_999, 2_500_000, 1, 64_000]) {
        await stage.append(chunks(bytes.subarray(offset, offset + length)));
        offset += length;
        expect(stage.size).toBe(offset);
        expect((await store.stage(stage.uploadId)).size).toBe(offset);
        expectSame(await (await stage.read()).bytes(), bytes.subarray(0, offset));
      }
      const digest = digestOf(bytes.subarray(0, offset));
      await stage.publish(digest);
      expectSame(await content(digest), bytes.subarray(0, offset));
    });

    test("keeps every byte, however it is cut into chunks and appends", async () => {
      const sizes = fc.array(
        fc.array(fc.oneof(fc.nat(3), fc.nat(70_000), fc.constant(1024 * 1024 + 1)), {
          maxLength: 12,
        }),
        { maxLength: 4 },
      );
      await fc.assert(
        fc.asyncProperty(sizes, async (appends) => {
          const total = appends.flat().reduce((sum, size) => sum + size, 0);
          const bytes = pattern(total, total);
          const stage = await newStage();
          let offset = 0;
          for (const append of appends) {
            const parts = append.map((size) => {
              offset += size;
              return bytes.subarray(offset - size, offset);
            });
            await stage.append(chunks(...parts));
          }
          expectSame(await (await stage.read()).bytes(), bytes);
          await stage.discard();
        }),
        { numRuns: 25 },
      );
    });

    test("keeps what a source wrote into one buffer again and again", async () => {
      async function* reusing() {
        const buffer = new Uint8Array(1000);
        for (let i = 0; i < 5; i++) yield buffer.fill(i);
      }
      const stage = await newStage();
      await stage.append(reusing());
      const expected = Buffer.concat([0, 1, 2, 3, 4].map((i) => new Uint8Array(1000).fill(i)));
      expectSame(await (await stage.read()).bytes(), expected);
    });

    test("keeps what has arrived when the source fails in the middle", async () => {
      const bytes = pattern(1_300_000);
      const error = new Error("the connection was cut");
      const stage = await newStage();
      const parts = [bytes.subarray(0, 10), bytes.subarray(10, 1_200_000)];
      const failing = stage.append(failingAfter(error, ...parts));
      expect(await failing.catch((caught) => caught)).toBe(error);
      expect(stage.size).toBe(1_200_000);
      await expect(stage.append(failingAfter(error))).rejects.toThrow(error);
      expect(stage.size).toBe(1_200_000);
      const again = await store.stage(stage.uploadId);
      expect(again.size).toBe(1_200_000);
      await again.append(chunks(bytes.subarray(1_200_000)));
      await again.publish(digestOf(bytes));
      expectSame(await content(digestOf(bytes)), bytes);
    });

    test("survives a restart of the driver and goes on at its end", async () => {
      const bytes = pattern(300_000);
      const { uploadId } = await staged(bytes.subarray(0, 100_001));
      await store.close();
      store = await fixture.open();
      const stage = await store.stage(uploadId);
      expect(stage.size).toBe(100_001);
      expect(await Array.fromAsync(store.stages())).toEqual([uploadId]);
      await stage.append(chunks(bytes.subarray(100_001)));
      await stage.publish(digestOf(bytes));
      expectSame(await content(digestOf(bytes)), bytes);
      await store.close();
      store = await fixture.open();
      expectSame(await content(digestOf(bytes)), bytes);
    });

    test("is no blob before it is published", async () => {
      const bytes = pattern(100);
      await staged(bytes);
      expect(await store.stat(digestOf(bytes))).toBeUndefined();
      expect(await Array.fromAsync(store.list())).toEqual([]);
    });

    test("what was read of it does not grow with it", async () => {
      const stage = await staged(bytesOf("one"));
      const before = await stage.read();
      await stage.append(chunks(bytesOf("two")));
      expect(await before.text()).toBe("one");
      expect(await (await stage.read()).text()).toBe("onetwo");
    });

    test("is in the list of stages from its first byte until it is discarded", async () => {
      const list = async () => (await Array.fromAsync(store.stages())).sort();
      const opened = await newStage();
      expect(await list()).toEqual([]);
      const [one, two] = [await staged(bytesOf("1")), await staged(bytesOf("2"))];
      expect(await list()).toEqual([one.uploadId, two.uploadId].sort());
      await one.publish(digestOf(bytesOf("1")));
      expect(await list()).toEqual([one.uploadId, two.uploadId].sort());
      for (const stage of [one, two, opened, one]) await stage.discard();
      expect(await list()).toEqual([]);
    });

    test.each([
      ...["", ".", "..", "../x", "a/b", "/etc/passwd", "a\\b", "a b", "a\0b", "ä", "a.b", "a%2fb"],
      "x".repeat(200),
    ])("does not open under the malformed id %j", async (id) => {
      await expect((async () => store.stage(id))()).rejects.toThrow(TypeError);
      expect(await Array.fromAsync(store.stages())).toEqual([]);
    });
  });

  describe("publishing", () => {
    test("can be repeated, also under another digest, until the stage is discarded", async () => {
      const bytes = pattern(1000);
      const stage = await staged(bytes);
      const [short, long] = [digestOf(bytes), digestOf(bytes, "sha512")];
      for (const digest of [short, short, long, short]) await stage.publish(digest);
      for (const digest of [short, long]) expectSame(await content(digest), bytes);
      await stage.discard();
      await stage.discard();
      for (const digest of [short, long]) expectSame(await content(digest), bytes);
      expect(await Array.fromAsync(store.list())).toHaveLength(2);
    });

    test("replaces what was there, so that a push heals a damaged blob", async () => {
      const bytes = pattern(5000);
      const digest = digestOf(bytes);
      await publish(pattern(400, 7), digest);
      expect(await store.stat(digest)).toMatchObject({ size: 400 });
      await publish(bytes, digest);
      expect(await store.stat(digest)).toMatchObject({ size: 5000 });
      expectSame(await content(digest), bytes);
    });

    test("is final: what the stage gets afterwards does not reach the blob", async () => {
      const bytes = pattern(1000);
      const digest = digestOf(bytes);
      const stage = await staged(bytes);
      await stage.publish(digest);
      await (await store.stage(stage.uploadId)).append(chunks(bytesOf("more")));
      expectSame(await content(digest), bytes);
      expect((await store.stage(stage.uploadId)).size).toBe(1004);
      expectSame(
        await (await (await store.stage(stage.uploadId)).read()).bytes(),
        Buffer.concat([bytes, bytesOf("more")]),
      );
    });

    test("of a discarded stage fails, and publishes nothing", async () => {
      const bytes = pattern(1000);
      const stage = await staged(bytes);
      await (await store.stage(stage.uploadId)).discard();
      await expect(stage.publish(digestOf(bytes))).rejects.toThrow();
      expect(await store.stat(digestOf(bytes))).toBeUndefined();
      expect(await Array.fromAsync(store.stages())).toEqual([]);
    });

    test("of one digest by many at once shows the whole blob or none", async () => {
      const bytes = pattern(2_000_000);
      const digest = digestOf(bytes);
      const stages = await Promise.all(Array.from({ length: 6 }, () => staged(bytes)));
      let publishing = true;
      const reading = (async () => {
        let seen = 0;
        while (publishing) {
          const [stat, blob] = [await store.stat(digest), await store.read(digest)];
          if (stat !== undefined) expect(stat.size).toBe(bytes.byteLength);
          if (blob !== undefined) {
            expectSame(await blob.bytes(), bytes);
            seen += 1;
          }
          await new Promise((resolve) => setImmediate(resolve));
        }
        return seen;
      })();
      await Promise.all(
        stages.map(async (stage) => {
          for (let i = 0; i < 5; i++) await stage.publish(digest);
          await stage.discard();
        }),
      );
      publishing = false;
      await reading;
      expectSame(await content(digest), bytes);
      expect(await Array.fromAsync(store.list())).toHaveLength(1);
      expect(await Array.fromAsync(store.stages())).toEqual([]);
    });
  });
}
