/** Every figure of events. */
import type { BackOff } from "../replication/retry.ts";

export interface EventSettings {
  readonly backOff: BackOff;
  /** EventBridge: 24 hours and 185 attempts, the most that a target may ask for too. */
  readonly ageLimitMilliseconds: number;
  readonly attemptsLimit: number;
  readonly timeoutMilliseconds: number;
  /** Deliveries that wait for one target; the oldest beyond become dead letters. */
  readonly waitingLimit: number;
  readonly deadLetterAgeMilliseconds: number;
  /** Of one target. */
  readonly deadLettersLimit: number;
  /** Targets that are delivered to at the same time. */
  readonly lanesAtOnce: number;
  /** How soon what another node or a command has written is noticed. */
  readonly pollMilliseconds: number;
}

export const defaultEventSettings: EventSettings = {
  backOff: { firstMilliseconds: 1000, limitMilliseconds: 5 * 60_000 },
  ageLimitMilliseconds: 24 * 3600_000,
  attemptsLimit: 185,
  timeoutMilliseconds: 10_000,
  waitingLimit: 100_000,
  deadLetterAgeMilliseconds: 14 * 24 * 3600_000,
  deadLettersLimit: 1000,
  lanesAtOnce: 256,
  pollMilliseconds: 1000,
};
