/** Queries on events that could not be delivered. */
import type { Queryable, SqlValue, Transaction } from "../metadata-store.ts";
import type { DeliveryRow, LaneKey } from "./event-deliveries.ts";

export interface DeadLetterRow extends DeliveryRow {
  id: string;
  failed_at: number;
  attempts: number;
  code: string;
  reason: string;
}

const columns = `id, account, rule, target, sequence, part, created_at, failed_at, attempts, code,
  reason, event`;

export async function insertDeadLetter(tx: Transaction, row: DeadLetterRow): Promise<void> {
  await tx.all(
    `insert into event_dead_letters (${columns})
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    [
      ...[row.id, row.account, row.rule, row.target, row.sequence, row.part, row.created_at],
      ...[row.failed_at, row.attempts, row.code, row.reason, row.event],
    ],
  );
}

export interface DeadLetterPage {
  /** Absent: of all accounts. */
  readonly account?: string | undefined;
  readonly rule?: string | undefined;
  /** Behind this one; absent: from the oldest. */
  readonly after?: { readonly failedAt: number; readonly id: string } | undefined;
  readonly limit: number;
}

/** Oldest first. */
export function selectDeadLetters(db: Queryable, page: DeadLetterPage): Promise<DeadLetterRow[]> {
  const values: SqlValue[] = [page.after?.failedAt ?? -1, page.after?.id ?? "", page.limit];
  let condition = "";
  for (const [column, value] of [
    ["account", page.account],
    ["rule", page.rule],
  ] as const) {
    if (value === undefined) continue;
    values.push(value);
    condition += ` and ${column} = $${values.length}`;
  }
  return db.all<DeadLetterRow>(
    `select ${columns} from event_dead_letters
     where (failed_at > $1 or (failed_at = $1 and id > $2)) ${condition}
     order by failed_at, id limit $3`,
    values,
  );
}

export async function selectDeadLetter(
  db: Queryable,
  id: string,
): Promise<DeadLetterRow | undefined> {
  const rows = await db.all<DeadLetterRow>(
    `select ${columns} from event_dead_letters where id = $1`,
    [id],
  );
  return rows[0];
}

/** @returns it, or undefined when it was not there: of two who delete it, one gets it */
export async function deleteDeadLetter(
  tx: Transaction,
  id: string,
): Promise<DeadLetterRow | undefined> {
  const rows = await tx.all<DeadLetterRow>(
    `delete from event_dead_letters where id = $1 returning ${columns}`,
    [id],
  );
  return rows[0];
}

/** @returns how many */
export async function expireDeadLetters(tx: Transaction, before: number): Promise<number> {
  const rows = await tx.all("delete from event_dead_letters where failed_at < $1 returning id", [
    before,
  ]);
  return rows.length;
}

/** Keeps the newest of a target. @returns how many were deleted */
export async function trimDeadLetters(
  tx: Transaction,
  { account, rule, target }: LaneKey,
  keep: number,
): Promise<number> {
  const rows = await tx.all(
    `delete from event_dead_letters where id in (
       select id from event_dead_letters where account = $1 and rule = $2 and target = $3
       order by failed_at desc, id desc limit 1000 offset $4
     ) returning id`,
    [account, rule, target, keep],
  );
  return rows.length;
}

export function countDeadLetters(
  db: Queryable,
): Promise<{ account: string; rule: string; target: string; letters: number }[]> {
  return db.all(
    `select account, rule, target, count(*) as letters from event_dead_letters
     group by account, rule, target order by account, rule, target`,
  );
}
