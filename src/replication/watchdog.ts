/** Notices when something stands still. */
import type { Clock } from "../runtime/clock.ts";

export interface Watchdog {
  /** Something moved. */
  feed(): void;
  /** From here on nothing is expected any more. */
  end(): void;
}

/**
 * Calls `onStall` once when nothing moved for the given time. It looks at intervals of half that
 * time instead of setting a timer for every chunk.
 */
export function watchdog(clock: Clock, milliseconds: number, onStall: () => void): Watchdog {
  const ended = new AbortController();
  let movedAt = clock.now();
  const watch = async () => {
    while (!ended.signal.aborted) {
      await clock.sleep(milliseconds / 2, ended.signal);
      if (ended.signal.aborted) return;
      if (clock.now() - movedAt >= milliseconds) {
        ended.abort();
        onStall();
      }
    }
  };
  void watch();
  return {
    feed() {
      movedAt = clock.now();
    },
    end: () => ended.abort(),
  };
}
