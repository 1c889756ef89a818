/** When to try again. */
import type { Random } from "../runtime/clock.ts";

export interface BackOff {
  readonly firstMilliseconds: number;
  readonly limitMilliseconds: number;
}

/**
 * Doubles with every attempt up to the limit, and never ends. Between half and all of it is drawn
 * by chance, so that what failed together does not come back together.
 * @param attempt 1 for the first
 */
export function delay(attempt: number, random: Pick<Random, "next">, backOff: BackOff): number {
  // 2^40 times any first delay is beyond every limit; more would only lose precision.
  const doublings = Math.min(Math.max(attempt, 1) - 1, 40);
  const full = Math.min(backOff.firstMilliseconds * 2 ** doublings, backOff.limitMilliseconds);
  return Math.round(full / 2 + (full / 2) * random.next());
}
