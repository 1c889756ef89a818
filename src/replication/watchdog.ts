/** Notices when something stands still. */
import type { Clock } from "../runtime/clock.ts";

export interface Watchdog {
  /** Something moved. */
  feed(): void;
  /** From here on nothing is expected any more. */
  end(): void;
}

/**
 * Calls `onStall` once when nothing moved for the given time, or up to half of it longer. It looks at
 * intervals instead of setting a timer for every chunk, and never reads the clock, which may jump.
 */
export function watchdog(
  clock: Pick<Clock, "sleep">,
  milliseconds: number,
  onStall: () => void,
): Watchdog {
  const ended = new AbortController();
  let stillIntervals = 0;
  const watch = async () => {
    while (!ended.signal.aborted) {
      await clock.sleep(milliseconds / 2, ended.signal);
      if (ended.signal.aborted) return;
      // The first interval may have begun in the middle of a movement.
      if (++stillIntervals <= 2) continue;
      ended.abort();
      onStall();
    }
  };
  void watch();
  return {
    feed() {
      stillIntervals = 0;
    },
    end: () => ended.abort(),
  };
}
