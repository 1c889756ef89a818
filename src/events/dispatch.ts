/**
 * From the journal to deliveries: for each change its events, for each event the rules that match,
 * for each of their targets a delivery. The deliveries and the position in the journal are written
 * in one transaction: no change is passed over and none makes two deliveries, whatever dies when.
 */
import type { Queryable } from "../metadata/metadata-store.ts";
import {
  type ChangeRow,
  selectChanges,
  selectLastChangeSequence,
} from "../metadata/queries/changes.ts";
import { selectDocumentsOfKind } from "../metadata/queries/documents.ts";
import {
  addWaiting,
  advanceEventPosition,
  type DeliveryRow,
  holdEventPosition,
  insertDeliveries,
  type LaneKey,
  takeOldestDeliveries,
} from "../metadata/queries/event-deliveries.ts";
import type { RegistryContext } from "../registry/context.ts";
import { eventsOfChange } from "./change-events.ts";
import { buryDelivery } from "./dead-letters.ts";
import type { EventMetrics } from "./event-metrics.ts";
import { matches } from "./pattern-match.ts";
import { type PatternNode, parseEventPattern } from "./pattern-syntax.ts";
import { type EventRule, eventRuleKind } from "./rule-documents.ts";
import type { EventSettings } from "./settings.ts";

interface CompiledRule {
  readonly account: string;
  readonly name: string;
  readonly pattern: PatternNode;
  readonly targets: readonly string[];
}

export interface Dispatcher {
  /** Goes through what is new, to the end of the journal. @returns whether deliveries were made */
  run(signal: AbortSignal): Promise<boolean>;
}

const changesAtOnce = 200;
/** Changes without deliveries may be looked at again after a crash: so many, at most. */
const unsavedLimit = 1000;

export function dispatcher(
  context: RegistryContext,
  settings: EventSettings,
  metrics: EventMetrics,
  log: { warn(fields: object, text: string): void },
): Dispatcher {
  const { metadata, region } = context;
  /** What this process knows: the database may be behind it where nothing was to deliver. */
  let position: number | undefined;
  let saved = 0;
  let rules: readonly CompiledRule[] | undefined;

  async function start(): Promise<number> {
    const known = await metadata.transaction(async (tx) => {
      const present = await holdEventPosition(tx);
      if (present !== undefined) return present;
      // The first start with events: they begin now.
      const last = await selectLastChangeSequence(tx);
      await advanceEventPosition(tx, last);
      return last;
    });
    saved = known;
    return known;
  }

  async function step(after: number): Promise<{ last: number; made: boolean } | undefined> {
    const changes = await selectChanges(metadata.read, after, changesAtOnce);
    const last = changes.at(-1)?.sequence;
    if (last === undefined) return undefined;
    if (rules === undefined || changes.some(isRuleChange))
      rules = await readRules(metadata.read, log);
    const deliveries = deliveriesOf(changes, rules);
    if (deliveries.length === 0) {
      if (last - saved >= unsavedLimit) {
        await metadata.transaction((tx) => advanceEventPosition(tx, last), { durable: false });
        saved = last;
      }
      return { last, made: false };
    }
    const result = await metadata.transaction(async (tx) => {
      const elsewhere = (await holdEventPosition(tx)) ?? 0;
      // Another node was faster: go on from where it is.
      if (elsewhere > after) return { last: elsewhere, dropped: 0 };
      let dropped = 0;
      for (const rows of byLane(deliveries)) dropped += await enqueue(tx, rows);
      await advanceEventPosition(tx, last);
      return { last, dropped };
    });
    saved = Math.max(saved, result.last);
    if (result.dropped > 0) metrics.deadLettersMade(result.dropped);
    return { last: result.last, made: true };
  }

  async function enqueue(
    tx: Parameters<typeof insertDeliveries>[0],
    rows: readonly [DeliveryRow, ...DeliveryRow[]],
  ): Promise<number> {
    const now = context.clock.now();
    const lane: LaneKey = rows[0];
    const count = await insertDeliveries(tx, rows);
    const waiting = await addWaiting(tx, lane, { count, now });
    const excess = waiting - settings.waitingLimit;
    if (excess <= 0) return 0;
    const text = `more than ${settings.waitingLimit} events waited for the target`;
    let cut = 0;
    for (const row of await takeOldestDeliveries(tx, lane, excess)) {
      const failure = { code: "queue_full", text, attempts: 0 };
      cut += await buryDelivery(context, tx, row, failure, settings);
    }
    tx.afterCommit(() => {
      const { account, rule, target } = lane;
      const about = { account, rule, target, deadLetters: excess, deleted: cut };
      log.warn(about, "too many events wait for a target: the oldest became dead letters");
      metrics.deadLettersCut(cut);
    });
    return excess;
  }

  function deliveriesOf(
    changes: readonly ChangeRow[],
    known: readonly CompiledRule[],
  ): DeliveryRow[] {
    const deliveries: DeliveryRow[] = [];
    for (const change of changes) {
      const own = known.filter(({ account }) => account === change.account);
      if (own.length === 0) continue;
      for (const [part, event] of eventsOfChange(region, change).entries()) {
        const row = { sequence: change.sequence, part, created_at: context.clock.now() };
        for (const rule of own) {
          if (!matches(rule.pattern, event)) continue;
          metrics.matched();
          for (const target of rule.targets) {
            const key = { account: rule.account, rule: rule.name, target };
            deliveries.push({ ...key, ...row, event: JSON.stringify(event) });
          }
        }
      }
    }
    return deliveries;
  }

  return {
    async run(signal) {
      position ??= await start();
      let made = false;
      while (!signal.aborted) {
        const result = await step(position);
        if (result === undefined) break;
        position = result.last;
        made ||= result.made;
      }
      return made;
    },
  };
}

function isRuleChange({ kind, detail }: ChangeRow): boolean {
  if (kind !== "document_set" && kind !== "document_deleted") return false;
  return detail?.includes(`"${eventRuleKind.kind}"`) === true;
}

async function readRules(
  db: Queryable,
  log: { warn(fields: object, text: string): void },
): Promise<CompiledRule[]> {
  const compiled: CompiledRule[] = [];
  const limit = 500;
  let after = { account: "", name: "" };
  for (;;) {
    const rows = await selectDocumentsOfKind(db, eventRuleKind.kind, { ...after, limit });
    for (const { account, name, value } of rows) {
      const rule = value === null ? undefined : (JSON.parse(value) as EventRule);
      if (rule === undefined || !rule.isEnabled || rule.targets.length === 0) continue;
      const targets = rule.targets.map(({ id }) => id);
      try {
        compiled.push({ account, name, pattern: parseEventPattern(rule.pattern), targets });
      } catch (error) {
        // Stored by a version that knew more operators: the other rules go on.
        log.warn({ error, account, rule: name }, "the pattern of a rule cannot be read");
      }
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < limit) return compiled;
    after = { account: last.account, name: last.name };
  }
}

function byLane(deliveries: readonly DeliveryRow[]): [DeliveryRow, ...DeliveryRow[]][] {
  const lanes = new Map<string, [DeliveryRow, ...DeliveryRow[]]>();
  for (const row of deliveries) {
    const key = JSON.stringify([row.account, row.rule, row.target]);
    const lane = lanes.get(key);
    if (lane === undefined) lanes.set(key, [row]);
    else lane.push(row);
  }
  // In one order, so that two transactions never wait for each other.
  return [...lanes.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, rows]) => rows);
}
