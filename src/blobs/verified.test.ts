import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { chunks, pattern } from "../../tests/contract/blob-store.ts";
import { memoryDirectory } from "../../tests/support/temporary-directory.ts";
import { type Digest, digestOf } from "../image/digest.ts";
import type { BlobStage, BlobStore } from "./blob-store.ts";
import { filesystemBlobStore } from "./filesystem.ts";
import { memoryBlobStore } from "./memory.ts";
import { DigestMismatchError, digestOfBlob, verified } from "./verified.ts";

/** A store that counts how often staged bytes are read again, and whose disk can fail. */
function observed(inner: BlobStore = memoryBlobStore()) {
  const counts = { reads: 0, publishes: 0 };
  const faults: { publish?: Error; appendAfter?: number } = {};
  const store: BlobStore = {
    ...inner,
    async stage(uploadId) {
      const stage = await inner.stage(uploadId);
      const wrapped: BlobStage = {
        uploadId,
        get size() {
          return stage.size;
        },
        append: (source) => stage.append(limited(source)),
        read() {
          counts.reads += 1;
          return stage.read();
        },
        async publish(digest) {
          counts.publishes += 1;
          if (faults.publish) throw faults.publish;
          await stage.publish(digest);
        },
        discard: () => stage.discard(),
      };
      return wrapped;
    },
  };

  /** A disk that is full loses chunks which the layers above have seen already. */
  async function* limited(source: AsyncIterable<Uint8Array>) {
    for await (const chunk of source) {
      if (faults.appendAfter !== undefined && faults.appendAfter < chunk.byteLength) {
        throw new Error("ENOSPC");
      }
      yield chunk;
    }
  }
  return { store, counts, faults };
}

const content = async (
  store: { read(digest: Digest): Promise<Blob | undefined> },
  digest: Digest,
) => Buffer.from((await (await store.read(digest))?.bytes()) ?? []);

describe("publishing", () => {
  test("under the right digest reads nothing again", async () => {
    const { store, counts } = observed();
    const blobs = verified(store);
    const bytes = pattern(100_000);
    const stage = await blobs.stage("u");
    for (let i = 0; i < 10; i++) {
      // As over HTTP: another object for each request.
      const again = await blobs.stage("u");
      await again.append(chunks(bytes.subarray(i * 10_000, (i + 1) * 10_000)));
    }
    const last = await blobs.stage("u");
    await last.publish(digestOf(bytes));
    expect(counts.reads).toBe(0);
    expect(Buffer.compare(await content(blobs, digestOf(bytes)), bytes)).toBe(0);
    await stage.discard();
  });

  test("under a wrong digest is refused, and says what the bytes have", async () => {
    const { store, counts } = observed();
    const blobs = verified(store);
    const bytes = pattern(1000);
    const wrong = digestOf(pattern(1000, 2));
    const stage = await blobs.stage("u");
    await stage.append(chunks(bytes));
    for (let i = 0; i < 2; i++) {
      const error = await stage.publish(wrong).catch((caught) => caught);
      expect(error).toBeInstanceOf(DigestMismatchError);
      expect(error).toMatchObject({ expected: wrong, actual: digestOf(bytes) });
    }
    expect(counts.publishes).toBe(0);
    expect(await blobs.stat(wrong)).toBeUndefined();
    // The stage is as it was.
    await stage.publish(digestOf(bytes));
    expect(Buffer.compare(await content(blobs, digestOf(bytes)), bytes)).toBe(0);
  });

  test("under a digest of another algorithm reads the bytes once more", async () => {
    const { store, counts } = observed();
    const blobs = verified(store);
    const bytes = pattern(100_000);
    const stage = await blobs.stage("u");
    await stage.append(chunks(bytes));
    const digest = digestOf(bytes, "sha512");
    const wrong = digestOf(pattern(1), "sha512");
    await expect(stage.publish(wrong)).rejects.toBeInstanceOf(DigestMismatchError);
    await stage.publish(digest);
    expect(counts.reads).toBe(2);
    expect(Buffer.compare(await content(blobs, digest), bytes)).toBe(0);
  });

  test("takes the hint which algorithm will be asked for", async () => {
    const { store, counts } = observed();
    const blobs = verified(store);
    const bytes = pattern(1000);
    const stage = await blobs.stage("u", "sha512");
    await stage.append(chunks(bytes));
    await stage.publish(digestOf(bytes, "sha512"));
    expect(counts.reads).toBe(0);
  });

  test("is repeated after a failure of the disk", async () => {
    const { store, faults } = observed();
    const blobs = verified(store);
    const bytes = pattern(1000);
    const stage = await blobs.stage("u");
    await stage.append(chunks(bytes));
    faults.publish = new Error("EIO");
    await expect(stage.publish(digestOf(bytes))).rejects.toThrow("EIO");
    delete faults.publish;
    for (let i = 0; i < 2; i++) await stage.publish(digestOf(bytes));
    expect(Buffer.compare(await content(blobs, digestOf(bytes)), bytes)).toBe(0);
  });

  test("of nothing is the digest of nothing", async () => {
    const blobs = verified(memoryBlobStore());
    const empty = digestOf(new Uint8Array());
    const stage = await blobs.stage("u");
    await expect(stage.publish(digestOf(pattern(1)))).rejects.toBeInstanceOf(DigestMismatchError);
    await stage.publish(empty);
    expect((await blobs.stat(empty))?.size).toBe(0);
  });
});

describe("the running hash", () => {
  test("is made anew after a restart in the middle", async () => {
    using directory = memoryDirectory();
    const bytes = pattern(300_000);
    const open = async () => observed(await filesystemBlobStore({ root: directory.path }));
    const before = verified((await open()).store);
    await (await before.stage("u")).append(chunks(bytes.subarray(0, 100_000)));
    const { store, counts } = await open();
    const after = verified(store);
    await (await after.stage("u")).append(chunks(bytes.subarray(100_000, 200_000)));
    const stage = await after.stage("u");
    await stage.append(chunks(bytes.subarray(200_000)));
    await stage.publish(digestOf(bytes));
    expect(counts.reads).toBe(1);
    expect(Buffer.compare(await content(after, digestOf(bytes)), bytes)).toBe(0);
  });

  test("is not believed when another node has added bytes", async () => {
    const { store } = observed();
    const [one, two] = [verified(store), verified(store)];
    const bytes = pattern(300);
    await (await one.stage("u")).append(chunks(bytes.subarray(0, 100)));
    await (await two.stage("u")).append(chunks(bytes.subarray(100, 200)));
    const stage = await one.stage("u");
    await stage.append(chunks(bytes.subarray(200)));
    await stage.publish(digestOf(bytes));
    expect(Buffer.compare(await content(one, digestOf(bytes)), bytes)).toBe(0);
  });

  test("goes on when the source fails, because what arrived was hashed", async () => {
    const { store, counts } = observed();
    const blobs = verified(store);
    const bytes = pattern(300);
    async function* cut() {
      yield bytes.subarray(0, 100);
      throw new Error("the connection was cut");
    }
    await expect((await blobs.stage("u")).append(cut())).rejects.toThrow("cut");
    const stage = await blobs.stage("u");
    expect(stage.size).toBe(100);
    await stage.append(chunks(bytes.subarray(100)));
    await stage.publish(digestOf(bytes));
    expect(counts.reads).toBe(0);
  });

  test("is dropped when the disk kept less than was hashed", async () => {
    const { store, counts, faults } = observed();
    const blobs = verified(store);
    const bytes = pattern(300);
    const stage = await blobs.stage("u");
    await stage.append(chunks(bytes.subarray(0, 100)));
    faults.appendAfter = 50;
    await expect(stage.append(chunks(bytes.subarray(100)))).rejects.toThrow("ENOSPC");
    delete faults.appendAfter;
    expect(stage.size).toBe(100);
    await stage.append(chunks(bytes.subarray(100)));
    await stage.publish(digestOf(bytes));
    expect(counts.reads).toBe(1);
    expect(Buffer.compare(await content(blobs, digestOf(bytes)), bytes)).toBe(0);
  });

  test("is forgotten with its stage", async () => {
    const blobs = verified(memoryBlobStore());
    const first = await blobs.stage("u");
    await first.append(chunks(pattern(100)));
    await first.discard();
    const bytes = pattern(100, 9);
    const stage = await blobs.stage("u");
    await stage.append(chunks(bytes));
    await stage.publish(digestOf(bytes));
    expect(await blobs.stat(digestOf(bytes))).toBeDefined();
  });

  test("of more uploads than are kept at once is made anew, never mixed up", async () => {
    const { store, counts } = observed();
    const blobs = verified(store);
    const bytesOf = (i: number) => new TextEncoder().encode(`upload ${i}`);
    const uploads = 4200;
    for (let i = 0; i < uploads; i++) {
      await (await blobs.stage(`u${i}`)).append(chunks(bytesOf(i)));
    }
    for (const i of [0, 1, uploads - 1]) {
      await (await blobs.stage(`u${i}`)).publish(digestOf(bytesOf(i)));
    }
    expect(counts.reads).toBe(2);
  });
});

test("whatever the chunks, restarts and algorithms, only the bytes' own digest is published", async () => {
  const run = fc.record({
    sizes: fc.array(fc.nat(3000), { maxLength: 8 }),
    cuts: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
    restarts: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
    hint: fc.constantFrom("sha256" as const, "sha512" as const),
    asked: fc.constantFrom("sha256" as const, "sha512" as const),
    damage: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(run, async ({ sizes, cuts, restarts, hint, asked, damage }) => {
      const store = memoryBlobStore();
      let blobs = verified(store);
      const bytes = pattern(
        sizes.reduce((sum, size) => sum + size, 0),
        sizes.length + 1,
      );
      let offset = 0;
      for (const [i, size] of sizes.entries()) {
        if (restarts[i]) blobs = verified(store);
        const part = bytes.subarray(offset, offset + size);
        const stage = await blobs.stage("u", hint);
        const source = cuts[i] ? cutAfter(part) : chunks(part.subarray(0, 7), part.subarray(7));
        await stage.append(source).catch(() => {});
        offset += size;
        expect(stage.size).toBe(offset);
      }
      const stage = await blobs.stage("u", hint);
      const digest = digestOf(bytes, asked);
      if (damage) {
        const other = digestOf(new Uint8Array([...bytes, 1]), asked);
        await expect(stage.publish(other)).rejects.toBeInstanceOf(DigestMismatchError);
        expect(await blobs.stat(other)).toBeUndefined();
      }
      await stage.publish(digest);
      expect(Buffer.compare(await content(blobs, digest), bytes)).toBe(0);
      await stage.discard();
    }),
    { numRuns: 150 },
  );

  async function* cutAfter(part: Uint8Array) {
    yield part;
    throw new Error("cut");
  }
});

test("digestOfBlob reads a file through", async () => {
  using directory = memoryDirectory();
  const bytes = pattern(5_000_000);
  const path = `${directory.path}/file`;
  await Bun.write(path, bytes);
  for (const algorithm of ["sha256", "sha512"] as const) {
    expect(await digestOfBlob(Bun.file(path), algorithm)).toBe(digestOf(bytes, algorithm));
    const slice = Bun.file(path).slice(10, 4_000_000);
    expect(await digestOfBlob(slice, algorithm)).toBe(
      digestOf(bytes.slice(10, 4_000_000), algorithm),
    );
  }
});
