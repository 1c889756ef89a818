/**
 * Events of a region: one loop makes deliveries of what is new in the journal, another gives the
 * targets their turns. A target that is slow or down holds up nobody but itself.
 */
import type { Transaction } from "../metadata/metadata-store.ts";
import { expireDeadLetters } from "../metadata/queries/event-dead-letters.ts";
import { claimLanes, endLaneLeases, hasDueLanes } from "../metadata/queries/event-deliveries.ts";
import type { ChangeObserver } from "../registry/context.ts";
import { dispatcher } from "./dispatch.ts";
import { leaseMilliseconds, type TurnOptions, takeTurn } from "./lane-turn.ts";

export interface EventsOptions extends TurnOptions {
  readonly log: {
    info(fields: object, text: string): void;
    warn(fields: object, text: string): void;
    error(fields: object, text: string): void;
  };
  /** Nobody else delivers events of this database. */
  readonly soleWorker: boolean;
}

export interface RunningEvents {
  /** Wakes the loop when something has changed. */
  readonly observer: ChangeObserver;
  start(): void;
  /** One round: deliveries of what is new, turns for what is due. For tests and simulators. */
  tick(): Promise<void>;
  /** Resolves when no turn is under way. */
  settled(): Promise<void>;
  /** Deletes dead letters that are too old. @returns how many */
  expire(): Promise<number>;
  stop(): Promise<void>;
}

export function startEvents(options: EventsOptions): RunningEvents {
  const { ports, settings, metrics, log } = options;
  const { registry } = ports.events;
  const { clock, metadata, random } = registry;
  const dispatch = dispatcher(registry, settings, metrics, log);
  const stopping = new AbortController();
  const turns = new Set<Promise<void>>();
  let loop: Promise<void> | undefined;
  let wake = new AbortController();
  let prepared = false;

  /** Everything that can be due is due by then. */
  const latest = () =>
    clock.now() +
    Math.max(settings.backOff.limitMilliseconds, 3600_000, leaseMilliseconds(settings)) * 2;

  async function round(): Promise<void> {
    if (!prepared) {
      if (options.soleWorker) await metadata.transaction(endLaneLeases, { durable: false });
      prepared = true;
    }
    await dispatch.run(stopping.signal);
    const limit = settings.lanesAtOnce - turns.size;
    if (limit <= 0 || stopping.signal.aborted) return;
    const now = clock.now();
    const claim = {
      now,
      latest: latest(),
      lease: random.uuid(),
      leaseUntil: now + leaseMilliseconds(settings),
      limit,
    };
    if (!(await hasDueLanes(metadata.read, claim))) return;
    const lanes = await metadata.transaction((tx: Transaction) => claimLanes(tx, claim), {
      durable: false,
    });
    for (const lane of lanes) {
      const turn = takeTurn(options, lane, stopping.signal)
        .catch((error: unknown) => {
          const { account, rule, target } = lane;
          log.error({ error, account, rule, target }, "a turn of an event target failed");
        })
        .finally(() => {
          turns.delete(turn);
          wake.abort();
        });
      turns.add(turn);
    }
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      wake = new AbortController();
      try {
        await round();
      } catch (error) {
        log.error({ error }, "events cannot be made or delivered");
        // Not at once: what is broken stays broken for a while.
        await clock.sleep(settings.pollMilliseconds, stopping.signal);
        continue;
      }
      const signal = AbortSignal.any([wake.signal, stopping.signal]);
      await clock.sleep(settings.pollMilliseconds, signal);
    }
  }

  return {
    observer: async (tx) => tx.afterCommit(() => wake.abort()),
    start() {
      loop ??= run();
    },
    tick: round,
    async settled() {
      while (turns.size > 0) await Promise.all(turns);
    },
    async expire() {
      const before = clock.now() - settings.deadLetterAgeMilliseconds;
      const letters = await metadata.transaction((tx) => expireDeadLetters(tx, before));
      if (letters > 0) {
        metrics.deadLettersCut(letters);
        log.warn({ letters }, "dead letters were deleted because they were too old");
      }
      return letters;
    },
    async stop() {
      stopping.abort();
      await loop;
      while (turns.size > 0) await Promise.all(turns);
    },
  };
}
