/** Work that is repeated while the server runs. */
import type { Clock } from "./clock.ts";

export interface ScheduledWork {
  readonly name: string;
  readonly intervalMilliseconds: number;
  /** A failure is reported and the next turn comes as usual. */
  run(signal: AbortSignal): Promise<void>;
}

export interface Schedule {
  /** Resolves when the turn that runs has ended; no further one begins. */
  stop(): Promise<void>;
}

/**
 * Runs each work for itself, never twice at the same time: the interval lies between the end of one
 * turn and the beginning of the next. The first turn comes after one interval.
 */
export function startSchedule(
  clock: Clock,
  works: readonly ScheduledWork[],
  onError: (work: ScheduledWork, error: unknown) => void,
): Schedule {
  const stopping = new AbortController();
  const loops = works.map(async (work) => {
    while (!stopping.signal.aborted) {
      await clock.sleep(work.intervalMilliseconds, stopping.signal);
      if (stopping.signal.aborted) return;
      try {
        await work.run(stopping.signal);
      } catch (error) {
        onError(work, error);
      }
    }
  });
  return {
    async stop() {
      stopping.abort();
      await Promise.all(loops);
    },
  };
}
