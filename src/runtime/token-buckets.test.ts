import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { tokenBuckets } from "./token-buckets.ts";

const rate = { perSecond: 10, burst: 3 };

describe("token buckets", () => {
  test("a burst, then the rate", () => {
    const buckets = tokenBuckets();
    const take = (now: number) => buckets.take("k", rate, now);
    expect([take(0), take(0), take(0), take(0)]).toEqual([0, 0, 0, 100]);
    expect(take(90)).toBe(10);
    expect(take(100)).toBe(0);
    expect(take(100)).toBe(100);
    expect([take(10_000), take(10_000), take(10_000), take(10_000)]).toEqual([0, 0, 0, 100]);
  });

  test("keys do not share, and a clock that is set back takes nothing away", () => {
    const buckets = tokenBuckets();
    for (let i = 0; i < 3; i++) expect(buckets.take("a", rate, 1000)).toBe(0);
    expect(buckets.take("b", rate, 1000)).toBe(0);
    expect(buckets.take("a", rate, 500)).toBe(100);
    expect(buckets.take("a", rate, 600)).toBe(0);
  });

  test("never more than the burst and the rate allow, whatever the times", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(400), { maxLength: 300 }), (pauses) => {
        const buckets = tokenBuckets();
        let now = 0;
        let taken = 0;
        for (const pause of pauses) {
          now += pause;
          if (buckets.take("k", rate, now) === 0) taken++;
          expect(taken).toBeLessThanOrEqual(rate.burst + (now * rate.perSecond) / 1000 + 1e-6);
        }
      }),
    );
  });

  test("waiting as long as it says is enough", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.nat(10_000), (perSecond, start) => {
        const buckets = tokenBuckets();
        const own = { perSecond, burst: 1 };
        expect(buckets.take("k", own, start)).toBe(0);
        const wait = buckets.take("k", own, start);
        expect(wait).toBeGreaterThan(0);
        expect(buckets.take("k", own, start + wait)).toBe(0);
      }),
    );
  });

  test("only so many are kept", () => {
    const buckets = tokenBuckets(10);
    for (let i = 0; i < 1000; i++) expect(buckets.take(`k${i}`, rate, 0)).toBe(0);
    // The first was forgotten, which gives it a new burst and nothing worse.
    expect(buckets.take("k0", rate, 0)).toBe(0);
  });
});
