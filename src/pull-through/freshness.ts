/**
 * When something was compared with an upstream last. Only in memory: after a restart everything is
 * compared once more, which costs a request and loses nothing.
 */
import type { Clock } from "../runtime/clock.ts";

export interface Freshness {
  note(key: string): void;
  isFresh(key: string, limitMilliseconds: number): boolean;
}

/** The oldest are forgotten first. */
const keysLimit = 100_000;

export function freshness(clock: Pick<Clock, "now">): Freshness {
  const notedAt = new Map<string, number>();
  return {
    note(key) {
      notedAt.delete(key);
      notedAt.set(key, clock.now());
      if (notedAt.size <= keysLimit) return;
      for (const oldest of notedAt.keys()) {
        notedAt.delete(oldest);
        break;
      }
    },
    isFresh(key, limitMilliseconds) {
      const at = notedAt.get(key);
      if (at === undefined) return false;
      const age = clock.now() - at;
      // A clock that was set back must not keep anything fresh for long.
      return age >= 0 && age < limitMilliseconds;
    },
  };
}
