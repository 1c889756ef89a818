/** A clock on which sleeping takes no time: it moves on to when the sleeper wanted to wake. */
import type { Clock } from "../../src/runtime/clock.ts";

export interface SkippingClock extends Clock {
  advance(milliseconds: number): void;
}

export function skippingClock(start = 1_800_000_000_000): SkippingClock {
  let time = start;
  return {
    now: () => time,
    advance(milliseconds) {
      time += milliseconds;
    },
    async sleep(milliseconds, signal) {
      // A turn of the event loop, so that others come to their turn as they do in life.
      await new Promise((resolve) => setImmediate(resolve));
      if (!signal?.aborted) time += milliseconds;
    },
  };
}
