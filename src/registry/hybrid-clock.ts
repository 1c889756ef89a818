/**
 * Hybrid logical clock: near to the wall clock, never backwards, and always later than what it has
 * seen. With the region's name it orders every version of a tag in the whole installation.
 * Kulkarni et al., "Logical Physical Clocks" (2014).
 */
import type { Clock } from "../runtime/clock.ts";

/** `<milliseconds, 15 digits>.<counter, 6 digits>`: compares as text in time order. */
export type HybridTimestamp = string;

export interface Version {
  readonly clock: HybridTimestamp;
  readonly origin: string;
}

const counterLimit = 999_999;

export function formatHybridTimestamp(milliseconds: number, counter: number): HybridTimestamp {
  return `${String(milliseconds).padStart(15, "0")}.${String(counter).padStart(6, "0")}`;
}

export function parseHybridTimestamp(
  text: string,
): { milliseconds: number; counter: number } | undefined {
  const match = /^(\d{15})\.(\d{6})$/.exec(text);
  return match ? { milliseconds: Number(match[1]), counter: Number(match[2]) } : undefined;
}

/** Negative when `a` is older, positive when newer, 0 when it is the same version. */
export function compareVersions(a: Version, b: Version): number {
  if (a.clock !== b.clock) return a.clock < b.clock ? -1 : 1;
  if (a.origin !== b.origin) return a.origin < b.origin ? -1 : 1;
  return 0;
}

export interface HybridClock {
  /** A timestamp later than all given before, and later than `seen`. */
  tick(seen?: HybridTimestamp): HybridTimestamp;
}

export function hybridClock(clock: Clock): HybridClock {
  let milliseconds = 0;
  let counter = 0;
  return {
    tick(seen) {
      const other = seen === undefined ? undefined : parseHybridTimestamp(seen);
      const floor =
        other !== undefined &&
        (other.milliseconds > milliseconds ||
          (other.milliseconds === milliseconds && other.counter > counter))
          ? other
          : { milliseconds, counter };
      const now = clock.now();
      if (now > floor.milliseconds) {
        milliseconds = now;
        counter = 0;
      } else if (floor.counter < counterLimit) {
        milliseconds = floor.milliseconds;
        counter = floor.counter + 1;
      } else {
        milliseconds = floor.milliseconds + 1;
        counter = 0;
      }
      return formatHybridTimestamp(milliseconds, counter);
    },
  };
}
