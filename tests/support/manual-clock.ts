/** A clock that a test moves by hand. Nothing that sleeps on it wakes before the test says so. */
import type { Clock } from "../../src/runtime/clock.ts";

export interface ManualClock extends Clock {
  /** Forwards, or backwards as a clock that is set does. */
  advance(milliseconds: number): void;
}

export function manualClock(start = 1_800_000_000_000): ManualClock {
  let time = start;
  const sleepers = new Set<() => void>();
  return {
    now: () => time,
    advance(milliseconds) {
      time += milliseconds;
      for (const wake of [...sleepers]) wake();
    },
    sleep(milliseconds, signal) {
      const until = time + milliseconds;
      return new Promise((resolve) => {
        const wake = () => {
          if (time < until && !signal?.aborted) return;
          sleepers.delete(wake);
          signal?.removeEventListener("abort", wake);
          resolve();
        };
        sleepers.add(wake);
        signal?.addEventListener("abort", wake, { once: true });
        wake();
      });
    },
  };
}
