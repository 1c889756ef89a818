/**
 * A turn of one target: its oldest deliveries, one after another, until none is left, one fails, or
 * the turn is over. Each outcome is recorded under the turn's lease; a turn that was overtaken
 * changes nothing. What was delivered and not recorded is delivered again.
 */
import type { MetadataStore, Transaction } from "../metadata/metadata-store.ts";
import {
  type DeliveryRow,
  deleteDelivery,
  deleteLane,
  type LaneOutcome,
  type LaneRow,
  releaseLane,
  selectOldestDelivery,
  updateLane,
} from "../metadata/queries/event-deliveries.ts";
import { findDocument } from "../registry/documents.ts";
import { delay } from "../replication/retry.ts";
import { buryDelivery } from "./dead-letters.ts";
import { type DeliveryPorts, type DeliveryResult, deliverEvent } from "./deliver-event.ts";
import type { EventEnvelope } from "./event.ts";
import type { EventMetrics } from "./event-metrics.ts";
import { eventRuleKind, type RuleTarget } from "./rule-documents.ts";
import type { EventSettings } from "./settings.ts";

export interface TurnOptions {
  readonly ports: DeliveryPorts;
  readonly settings: EventSettings;
  readonly metrics: EventMetrics;
  readonly log: {
    warn(fields: object, text: string): void;
    error(fields: object, text: string): void;
  };
}

/** Then others get their turn. */
const deliveriesPerTurn = 100;

/** Longer than one attempt with its record. */
export function leaseMilliseconds({ timeoutMilliseconds }: EventSettings): number {
  return timeoutMilliseconds * 2 + 30_000;
}

/** @throws when the database does; the lease then runs out and another turn follows */
export async function takeTurn(
  options: TurnOptions,
  lane: LaneRow,
  signal: AbortSignal,
): Promise<void> {
  const { log } = options;
  const { registry } = options.ports.events;
  let { attempts } = lane;
  for (let i = 0; i < deliveriesPerTurn && !signal.aborted; i++) {
    const row = await selectOldestDelivery(registry.metadata.read, lane);
    if (row === undefined) break;
    const target = await findTarget(options, lane);
    if (target === undefined) {
      // It was removed while an event was on its way to it.
      await write(registry.metadata, (tx) => deleteLane(tx, lane));
      return;
    }
    let result: DeliveryResult;
    try {
      result = await deliverEvent(
        options.ports,
        { ...lane, target, event: JSON.parse(row.event) as EventEnvelope },
        signal,
      );
    } catch (error) {
      if (signal.aborted) break;
      // A bug must not hold up the target for ever: it is tried again like any other failure.
      const { account, rule } = lane;
      log.error({ error, account, rule, target: target.id }, "an event cannot be delivered");
      result = { outcome: "retry", code: "internal_error", text: "see the log of the server" };
    }
    if (!(await record(options, lane, row, target, attempts + 1, result))) return;
    if (result.outcome === "retry") return;
    attempts = 0;
  }
  await write(registry.metadata, (tx) => releaseLane(tx, lane, lane.lease));
}

async function findTarget({ ports }: TurnOptions, lane: LaneRow): Promise<RuleTarget | undefined> {
  const { read } = ports.events.registry.metadata;
  const rule = await findDocument(read, eventRuleKind, lane.account, lane.rule);
  return rule?.value.targets.find(({ id }) => id === lane.target);
}

/** False when the lease was lost. */
async function record(
  { ports, settings, metrics, log }: TurnOptions,
  lane: LaneRow,
  row: DeliveryRow,
  target: RuleTarget,
  attempts: number,
  result: DeliveryResult,
): Promise<boolean> {
  const { registry } = ports.events;
  const now = registry.clock.now();
  const goesOn = { dueAt: now, attempts: 0, leaseUntil: now + leaseMilliseconds(settings), now };
  if (result.outcome === "delivered") {
    metrics.attempted("delivered");
    return finish(registry.metadata, lane, row, { ...goesOn, waitingLess: 1 });
  }
  const { code, text } = result;
  const end = ending(settings, row, target, attempts, now, result);
  if (end === undefined) {
    metrics.attempted("retry");
    const wait = delay(attempts, registry.random, settings.backOff);
    const dueAt = now + Math.max(wait, result.waitMilliseconds ?? 0);
    const failure = { code, text };
    return write(registry.metadata, (tx) =>
      updateLane(tx, lane, lane.lease, {
        waitingLess: 0,
        dueAt,
        attempts,
        leaseUntil: 0,
        failure,
        now,
      }),
    );
  }
  const recorded = await finish(
    registry.metadata,
    lane,
    row,
    { ...goesOn, waitingLess: 1, failure: { code, text } },
    async (tx) => {
      const cut = await buryDelivery(registry, tx, row, { ...end, attempts }, settings);
      tx.afterCommit(() => {
        if (cut === 0) return;
        metrics.deadLettersCut(cut);
        log.warn(
          { rule: lane.rule, target: target.id, deadLetters: cut },
          "too many dead letters: the oldest were deleted",
        );
      });
    },
  );
  if (!recorded) return false;
  metrics.attempted("dead");
  const { account, rule } = lane;
  log.warn(
    { account, rule, target: target.id, ...end, attempts },
    "an event could not be delivered",
  );
  // The next event may fare better; an outage would make dead letters of them all, so it waits.
  return true;
}

/** Why no further attempt is made; undefined when one is. */
function ending(
  settings: EventSettings,
  row: DeliveryRow,
  target: RuleTarget,
  attempts: number,
  now: number,
  result: Exclude<DeliveryResult, { outcome: "delivered" }>,
): { code: string; text: string } | undefined {
  const { code, text } = result;
  if (result.outcome === "refused") return { code, text };
  if (now - row.created_at >= (target.ageLimitMilliseconds ?? settings.ageLimitMilliseconds)) {
    return { code: "too_old", text };
  }
  if (attempts > (target.attemptsLimit ?? settings.attemptsLimit)) {
    return { code: "too_many_attempts", text };
  }
  return undefined;
}

/** The delivery is gone and the lane goes on, or nothing has changed. */
function finish(
  metadata: MetadataStore,
  lane: LaneRow,
  row: DeliveryRow,
  outcome: LaneOutcome,
  more: (tx: Transaction) => Promise<void> = async () => {},
): Promise<boolean> {
  return write(metadata, async (tx) => {
    if (!(await updateLane(tx, lane, lane.lease, outcome))) return false;
    await deleteDelivery(tx, row);
    await more(tx);
    return true;
  });
}

/** Not durable: after a power cut what was delivered is delivered again. */
function write<T>(metadata: MetadataStore, work: (tx: Transaction) => Promise<T>): Promise<T> {
  return metadata.transaction(work, { durable: false });
}
