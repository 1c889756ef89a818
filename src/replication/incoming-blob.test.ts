import { describe, expect, test } from "bun:test";
import { manualClock } from "../../tests/support/manual-clock.ts";
import { memoryBlobStore } from "../blobs/memory.ts";
import { verified } from "../blobs/verified.ts";
import { digestOf } from "../image/digest.ts";
import { sqliteMetadataStore } from "../metadata/sqlite.ts";
import { defaultRegistrySettings } from "../registry/context.ts";
import { hybridClock } from "../registry/hybrid-clock.ts";
import { keyedMutex } from "../registry/keyed-mutex.ts";
import { systemRandom } from "../runtime/clock.ts";
import { incomingBlobs } from "./incoming-blob.ts";

const content = new TextEncoder().encode("0123456789");
const digest = digestOf(content);
const size = content.byteLength;

async function open() {
  const clock = manualClock();
  const blobs = memoryBlobStore();
  const incoming = incomingBlobs(
    {
      region: "eu-west-1",
      metadata: await sqliteMetadataStore({ path: ":memory:", now: clock.now() }),
      blobs: verified(blobs),
      clock,
      random: systemRandom,
      hybridClock: hybridClock(clock),
      settings: defaultRegistrySettings,
      observers: [],
      uploadMutex: keyedMutex(),
    },
    { stallMilliseconds: 1000, yieldMilliseconds: 100 },
  );
  /** A sender that sends when the test says so. */
  const sender = (offset: number) => {
    const stream = new TransformStream<Uint8Array, Uint8Array>(undefined, { highWaterMark: 10 });
    const writer = stream.writable.getWriter();
    writer.closed.catch(() => {});
    const answer = incoming.receive({ digest, size, offset, bytes: stream.readable });
    answer.catch(() => {});
    return { answer, writer };
  };
  const held = async () => (await incoming.progress([digest]))[0]?.offset;
  const until = async (offset: number) => {
    while ((await held()) !== offset) await Bun.sleep(1);
  };
  return { clock, blobs, incoming, sender, until };
}

describe("a blob that arrives", () => {
  test("in parts is there when the last byte is", async () => {
    const { blobs, sender } = await open();
    const first = sender(0);
    await first.writer.write(content.slice(0, 4));
    await first.writer.close();
    expect(await first.answer).toEqual({ outcome: "held", held: 4 });
    expect(await blobs.stat(digest)).toBeUndefined();
    const wrong = sender(7);
    expect(await wrong.answer).toEqual({ outcome: "offset", held: 4 });
    const last = sender(4);
    await last.writer.write(content.slice(4));
    await last.writer.close();
    expect(await last.answer).toEqual({ outcome: "held", held: size });
    expect(await blobs.stat(digest)).toMatchObject({ digest, size });
  });

  test("twice at the same time is taken from the first sender while that one moves", async () => {
    const { clock, incoming, sender, until } = await open();
    const first = sender(0);
    await first.writer.write(content.slice(0, 3));
    await until(3);
    clock.advance(99);
    expect(await sender(3).answer).toEqual({ outcome: "busy" });
    expect(await incoming.progress([digest])).toEqual([{ digest, offset: 3, busy: true }]);
    await first.writer.write(content.slice(3, 5));
    await until(5);
    clock.advance(99);
    expect(await sender(5).answer).toEqual({ outcome: "busy" });
  });

  test("from a sender that stands still goes on with another, and nothing is lost", async () => {
    const { blobs, clock, sender, until } = await open();
    const first = sender(0);
    await first.writer.write(content.slice(0, 3));
    await until(3);
    clock.advance(100);
    const second = sender(3);
    await expect(first.answer).rejects.toMatchObject({ code: "destination_stalled" });
    await second.writer.write(content.slice(3));
    await second.writer.close();
    expect(await second.answer).toEqual({ outcome: "held", held: size });
    expect(await blobs.stat(digest)).toBeDefined();
  });

  test("and stands still for long is given up; what came of it stays", async () => {
    const { clock, incoming, sender, until } = await open();
    const first = sender(0);
    await first.writer.write(content.slice(0, 6));
    await until(6);
    const ended = first.answer.then(
      () => "answered",
      () => "given up",
    );
    for (let outcome: string | undefined; outcome === undefined; ) {
      clock.advance(500);
      outcome = await Promise.race([ended, Bun.sleep(1).then(() => undefined)]);
      if (outcome !== undefined) expect(outcome).toBe("given up");
    }
    expect(await incoming.progress([digest])).toEqual([{ digest, offset: 6, busy: false }]);
  });

  test("with other bytes than promised is dropped, and begins anew", async () => {
    const { blobs, incoming, sender } = await open();
    const wrong = sender(0);
    await wrong.writer.write(new Uint8Array(size));
    await wrong.writer.close();
    await expect(wrong.answer).rejects.toMatchObject({ code: "digest_mismatch" });
    expect(await blobs.stat(digest)).toBeUndefined();
    expect(await incoming.progress([digest])).toEqual([{ digest, offset: 0, busy: false }]);
  });
});
