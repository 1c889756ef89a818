/** Events that could not be delivered: kept for a time, readable, and delivered again on request. */
import type { Queryable, Transaction } from "../metadata/metadata-store.ts";
import {
  type DeadLetterRow,
  deleteDeadLetter,
  insertDeadLetter,
  selectDeadLetter,
  selectDeadLetters,
  trimDeadLetters,
} from "../metadata/queries/event-dead-letters.ts";
import {
  addWaiting,
  type DeliveryRow,
  insertDeliveries,
} from "../metadata/queries/event-deliveries.ts";
import type { RegistryContext } from "../registry/context.ts";
import { findDocument } from "../registry/documents.ts";
import { EventsError } from "./errors.ts";
import type { EventEnvelope } from "./event.ts";
import { eventRuleKind } from "./rule-documents.ts";

export interface DeadLetter {
  readonly id: string;
  readonly account: string;
  readonly rule: string;
  readonly target: string;
  readonly failedAt: number;
  readonly attempts: number;
  readonly code: string;
  readonly text: string;
  readonly event: EventEnvelope;
}

/** In the transaction that takes it from its lane. @returns how many older ones were cut */
export async function buryDelivery(
  context: RegistryContext,
  tx: Transaction,
  row: DeliveryRow,
  failure: { readonly code: string; readonly text: string; readonly attempts: number },
  { deadLettersLimit }: { readonly deadLettersLimit: number },
): Promise<number> {
  await insertDeadLetter(tx, {
    ...row,
    id: context.random.uuid(),
    failed_at: context.clock.now(),
    attempts: failure.attempts,
    code: failure.code,
    reason: failure.text,
  });
  return trimDeadLetters(tx, row, deadLettersLimit);
}

/** One page, oldest first. */
export async function listDeadLetters(
  db: Queryable,
  page: {
    readonly account?: string | undefined;
    readonly rule?: string | undefined;
    readonly after?: { readonly failedAt: number; readonly id: string } | undefined;
    readonly limit: number;
  },
): Promise<DeadLetter[]> {
  return (await selectDeadLetters(db, page)).map(letter);
}

/** @param account whose it must be; absent: anybody's @throws unknown */
export async function findDeadLetter(
  db: Queryable,
  id: string,
  account?: string,
): Promise<DeadLetter> {
  const row = await selectDeadLetter(db, id);
  if (row === undefined || (account !== undefined && row.account !== account)) throw unknown(id);
  return letter(row);
}

/** Puts it back before everything newer that waits for the target. @throws unknown */
export function replayDeadLetter(context: RegistryContext, id: string): Promise<void> {
  const { metadata, clock } = context;
  return metadata.transaction(async (tx) => {
    const row = await deleteDeadLetter(tx, id);
    if (row === undefined) throw unknown(id);
    const rule = await findDocument(tx, eventRuleKind, row.account, row.rule);
    if (!rule?.value.targets.some((target) => target.id === row.target)) {
      throw new EventsError(
        "unknown",
        `The rule ${row.rule} has no target ${row.target} any more.`,
      );
    }
    const now = clock.now();
    const { account, target, sequence, part, event } = row;
    const delivery = { account, rule: row.rule, target, sequence, part, created_at: now, event };
    const count = await insertDeliveries(tx, [delivery]);
    await addWaiting(tx, row, { count, now });
  });
}

/** @throws unknown */
export function discardDeadLetter({ metadata }: RegistryContext, id: string): Promise<void> {
  return metadata.transaction(async (tx) => {
    if ((await deleteDeadLetter(tx, id)) === undefined) throw unknown(id);
  });
}

function letter(row: DeadLetterRow): DeadLetter {
  const { id, account, rule, target, attempts, code, reason } = row;
  const event = JSON.parse(row.event) as EventEnvelope;
  return {
    id,
    account,
    rule,
    target,
    failedAt: row.failed_at,
    attempts,
    code,
    text: reason,
    event,
  };
}

const unknown = (id: string) => new EventsError("unknown", `There is no dead letter ${id}.`);
