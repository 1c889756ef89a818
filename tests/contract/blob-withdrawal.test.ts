/** What the collector and the scrubber need of every blob store. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { BlobStore, WithdrawnBlob } from "../../src/blobs/blob-store.ts";
import { type Digest, digestOf } from "../../src/image/digest.ts";
import { blobStores } from "../support/blob-stores.ts";
import { bytesOf, chunksOf } from "../support/registry-pushes.ts";

const good = bytesOf("as it was pushed");
const digest = digestOf(good);

describe.each(blobStores)("withdrawal: %s", (_, openStore) => {
  let store: BlobStore;
  beforeEach(async () => {
    store = await openStore();
  });
  afterEach(() => store.close());

  async function publish(bytes: Uint8Array, under: Digest = digestOf(bytes), id = "u1") {
    const stage = await store.stage(id);
    await stage.append(chunksOf(bytes));
    await stage.publish(under);
    await stage.discard();
  }

  async function content(): Promise<string | undefined> {
    return (await store.read(digest))?.text();
  }

  async function withdraw(id = "w1"): Promise<WithdrawnBlob> {
    const blob = await store.withdraw(digest, id);
    if (blob === undefined) throw new Error("there was nothing to withdraw");
    return blob;
  }

  const withdrawn = () => Array.fromAsync(store.withdrawn(), ({ id }) => id);

  test("takes the blob out of reach and keeps its bytes", async () => {
    await publish(good);
    const blob = await withdraw();
    expect(blob).toMatchObject({ digest, size: good.byteLength, id: "w1" });
    expect(await store.stat(digest)).toBeUndefined();
    expect(await store.read(digest)).toBeUndefined();
    expect(await Array.fromAsync(store.list())).toEqual([]);
    expect(await (await blob.read()).text()).toBe("as it was pushed");
    expect(await withdrawn()).toEqual(["w1"]);
  });

  test("gives nothing for a blob that is not there", async () => {
    expect(await store.withdraw(digest, "w1")).toBeUndefined();
    expect(await withdrawn()).toEqual([]);
  });

  test("restores", async () => {
    await publish(good);
    const before = await store.stat(digest);
    const blob = await withdraw();
    await blob.restore();
    expect(await content()).toBe("as it was pushed");
    expect(await store.stat(digest)).toEqual(before);
    expect(await withdrawn()).toEqual([]);
    await blob.restore();
    await blob.destroy();
    expect(await content()).toBe("as it was pushed");
  });

  test("never restores over what was published since", async () => {
    await publish(bytesOf("damaged"), digest);
    const blob = await withdraw();
    await publish(good);
    await blob.restore();
    expect(await content()).toBe("as it was pushed");
    expect(await withdrawn()).toEqual([]);
  });

  test("destroys, and leaves alone what was published since", async () => {
    await publish(good);
    const blob = await withdraw();
    await publish(good);
    await blob.destroy();
    await blob.restore();
    expect(await content()).toBe("as it was pushed");
    expect(await withdrawn()).toEqual([]);
  });

  test("quarantines, and leaves alone what was published since", async () => {
    await publish(bytesOf("damaged"), digest);
    const blob = await withdraw();
    await blob.quarantine();
    await blob.restore();
    expect(await content()).toBeUndefined();
    expect(await withdrawn()).toEqual([]);
    await publish(bytesOf("damaged again"), digest);
    await (await withdraw("w2")).quarantine();
    await publish(good);
    expect(await content()).toBe("as it was pushed");
  });

  test("keeps several withdrawals of one digest apart", async () => {
    await publish(bytesOf("first"), digest);
    const first = await withdraw("w1");
    await publish(bytesOf("second"), digest);
    const second = await withdraw("w2");
    expect((await withdrawn()).sort()).toEqual(["w1", "w2"]);
    await first.destroy();
    await second.restore();
    expect(await content()).toBe("second");
  });

  test("lists what was left by somebody else, to be settled", async () => {
    await publish(good);
    await withdraw("w1");
    const [left] = await Array.fromAsync(store.withdrawn());
    expect(left).toMatchObject({ digest, size: good.byteLength, id: "w1" });
    await left?.restore();
    expect(await content()).toBe("as it was pushed");
  });

  test("the revision changes whenever bytes are published, and only then", async () => {
    await publish(good);
    const first = (await store.stat(digest))?.revision;
    expect((await store.stat(digest))?.revision).toBe(first ?? "");
    await publish(good);
    const second = (await store.stat(digest))?.revision;
    expect(second).not.toBe(first ?? "");
    expect((await Array.fromAsync(store.list())).map(({ revision }) => revision)).toEqual([
      second ?? "",
    ]);
  });

  test("what is added to a stage after its publishing does not reach the blob", async () => {
    const stage = await store.stage("u1");
    await stage.append(chunksOf(good));
    await stage.publish(digest);
    // The transaction behind the publishing failed; the session lives on, and its client adds more.
    const again = await store.stage("u1");
    await again.append(chunksOf(bytesOf(" and more")));
    expect(await content()).toBe("as it was pushed");
    expect(await (await again.read()).text()).toBe("as it was pushed and more");
  });

  test("a stage that somebody else discarded is never published as something else", async () => {
    const stage = await store.stage("u1");
    await stage.append(chunksOf(good));
    await (await store.stage("u1")).discard();
    await expect(stage.publish(digest)).rejects.toThrow();
    expect(await store.stat(digest)).toBeUndefined();
  });

  test("an empty blob needs no append", async () => {
    const empty = digestOf(new Uint8Array());
    const stage = await store.stage("u1");
    await stage.publish(empty);
    await stage.discard();
    expect((await store.stat(empty))?.size).toBe(0);
  });
});
