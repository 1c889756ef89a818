import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Digest, digestOf } from "../image/digest.ts";
import type { ClosureBlob } from "./closure.ts";
import { ReplicationFailure } from "./failure.ts";
import { type MissingBlob, offerLimits } from "./offer.ts";
import { defaultInlineLimits, planTransfer, unaskedBlobs } from "./planner.ts";

const limits = defaultInlineLimits;
const digestFor = (i: number): Digest => digestOf(new Uint8Array([i, i >> 8]));

const sizes = fc.oneof(
  fc.integer({ min: 0, max: 100 }),
  fc.integer({ min: 0, max: 200_000 }),
  fc.integer({ min: 0, max: 30_000_000_000 }),
);
const offered = fc
  .array(sizes, { maxLength: 40 })
  .map((list): ClosureBlob[] => list.map((size, i) => ({ digest: digestFor(i), size })));
const missingOf = (blobs: readonly ClosureBlob[]): fc.Arbitrary<MissingBlob[]> =>
  fc.shuffledSubarray([...blobs]).chain((subset) =>
    fc.tuple(
      ...subset.map(({ digest, size }) =>
        fc.record({
          digest: fc.constant(digest),
          offset: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: size })),
          busy: fc.boolean(),
        }),
      ),
    ),
  );
const cases = offered.chain((blobs) => fc.tuple(fc.constant(blobs), missingOf(blobs)));
const total = (blobs: readonly ClosureBlob[]) => blobs.reduce((sum, { size }) => sum + size, 0);

describe("planTransfer", () => {
  test("sends everything that is missing once and nothing else", () => {
    fc.assert(
      fc.property(cases, ([blobs, missing]) => {
        const plan = planTransfer(blobs, missing, limits);
        const planned = [...plan.streams, ...plan.inline].map(({ digest }) => digest);
        const wanted = missing.map(({ digest }) => digest);
        expect([...planned, ...plan.busy].sort()).toEqual(wanted.sort());
      }),
    );
  });

  test("goes on where the destination is, the longest stream first", () => {
    fc.assert(
      fc.property(cases, ([blobs, missing]) => {
        const { streams, bytes } = planTransfer(blobs, missing, limits);
        const offsets = new Map(missing.map(({ digest, offset }) => [digest, offset]));
        for (const { digest, offset } of streams) expect(offset).toBe(offsets.get(digest) ?? -1);
        const rests = streams.map(({ size, offset }) => size - offset);
        expect(rests).toEqual([...rests].sort((a, b) => b - a));
        expect(bytes).toBeGreaterThanOrEqual(rests.reduce((sum, rest) => sum + rest, 0));
      }),
    );
  });

  test("keeps what rides inline within bounds", () => {
    fc.assert(
      fc.property(cases, ([blobs, missing]) => {
        const plan = planTransfer(blobs, missing, limits);
        const { inline } = plan;
        expect(inline.length).toBeLessThanOrEqual(offerLimits.inlineBlobs);
        expect(total(inline)).toBeLessThanOrEqual(limits.everythingBytes);
        if (plan.bytes > limits.everythingBytes) {
          expect(total(inline)).toBeLessThanOrEqual(limits.besideBytes);
        }
        const unasked = unaskedBlobs(blobs, limits);
        expect(total(unasked)).toBeLessThanOrEqual(limits.unaskedBytes);
        expect(unasked.every(({ size }) => size <= limits.unaskedBlobBytes)).toBe(true);
      }),
    );
  });

  test("sends a small image whole in the second request", () => {
    const blobs = [300_000, 400_000, 2000].map((size, i) => ({ digest: digestFor(i), size }));
    const missing = blobs.map(({ digest }) => ({ digest, offset: 0, busy: false }));
    expect(planTransfer(blobs, missing, limits)).toMatchObject({ streams: [], bytes: 702_000 });
  });

  test("does not believe a destination that asks for what was not offered", () => {
    const blobs = [{ digest: digestFor(1), size: 10 }];
    for (const wrong of [
      { digest: digestFor(2), offset: 0, busy: false },
      { digest: digestFor(1), offset: 11, busy: false },
    ]) {
      expect(() => planTransfer(blobs, [wrong], limits)).toThrow(ReplicationFailure);
    }
  });
});
