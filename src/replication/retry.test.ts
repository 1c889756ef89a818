import { expect, test } from "bun:test";
import fc from "fast-check";
import { delay } from "./retry.ts";

const backOff = fc
  .record({
    firstMilliseconds: fc.integer({ min: 1, max: 10_000 }),
    times: fc.integer({ min: 1, max: 10_000 }),
  })
  .map(({ firstMilliseconds, times }) => ({
    firstMilliseconds,
    limitMilliseconds: firstMilliseconds * times,
  }));
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test("the delay stays between half of the first and the limit, for ever", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1 }), chance, backOff, (attempt, next, settings) => {
      const milliseconds = delay(attempt, { next: () => next }, settings);
      expect(Number.isSafeInteger(milliseconds)).toBe(true);
      expect(milliseconds).toBeGreaterThanOrEqual(Math.floor(settings.firstMilliseconds / 2));
      expect(milliseconds).toBeLessThanOrEqual(settings.limitMilliseconds);
    }),
  );
});

test("the delay doubles until it reaches the limit", () => {
  const settings = { firstMilliseconds: 500, limitMilliseconds: 300_000 };
  const delays = [1, 2, 3, 10, 11, 50].map((attempt) =>
    delay(attempt, { next: () => 0 }, settings),
  );
  expect(delays).toEqual([250, 500, 1000, 128_000, 150_000, 150_000]);
});

test("chance decides between half of the delay and all of it", () => {
  const settings = { firstMilliseconds: 1000, limitMilliseconds: 1000 };
  expect(delay(1, { next: () => 0 }, settings)).toBe(500);
  expect(delay(1, { next: () => 0.999999 }, settings)).toBe(1000);
});
