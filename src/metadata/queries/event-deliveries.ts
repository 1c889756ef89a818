/** Queries on events on their way to targets: the position in the journal, lanes, deliveries. */
import type { Queryable, SqlValue, Transaction } from "../metadata-store.ts";
import { holdName } from "./hold.ts";

/** A target of a rule of an account. */
export interface LaneKey {
  readonly account: string;
  readonly rule: string;
  readonly target: string;
}

export interface LaneRow extends LaneKey {
  waiting: number;
  due_at: number;
  attempts: number;
  failing_since: number | null;
  failure_code: string | null;
  failure_text: string | null;
  delivered_at: number | null;
  lease: string;
  lease_until: number;
}

export interface DeliveryRow extends LaneKey {
  sequence: number;
  part: number;
  created_at: number;
  /** JSON */
  event: string;
}

const laneColumns = `account, rule, target, waiting, due_at, attempts, failing_since, failure_code,
  failure_text, delivered_at, lease, lease_until`;
const deliveryColumns = "account, rule, target, sequence, part, created_at, event";

export async function selectEventPosition(db: Queryable): Promise<number | undefined> {
  const rows = await db.all<{ sequence: number }>(
    "select sequence from event_position where name = 'journal'",
  );
  return rows[0]?.sequence;
}

/** The same, held until the transaction ends: one node at a time makes events. */
export async function holdEventPosition(tx: Transaction): Promise<number | undefined> {
  await holdName(tx, "event position");
  return selectEventPosition(tx);
}

/** It never goes back. */
export async function advanceEventPosition(tx: Transaction, sequence: number): Promise<void> {
  await tx.all(
    `insert into event_position (name, sequence) values ('journal', $1)
     on conflict (name) do update set sequence = excluded.sequence
     where event_position.sequence < excluded.sequence`,
    [sequence],
  );
}

/** @returns how many were not there yet */
export async function insertDeliveries(
  tx: Transaction,
  deliveries: readonly DeliveryRow[],
): Promise<number> {
  let inserted = 0;
  for (let i = 0; i < deliveries.length; i += 50) {
    const values: SqlValue[] = [];
    const rows = deliveries.slice(i, i + 50).map((row) => {
      const first = values.length;
      values.push(row.account, row.rule, row.target, row.sequence, row.part);
      values.push(row.created_at, row.event);
      return `(${[1, 2, 3, 4, 5, 6, 7].map((column) => `$${first + column}`).join(", ")})`;
    });
    const added = await tx.all(
      `insert into event_deliveries (${deliveryColumns}) values ${rows.join(", ")}
       on conflict (account, rule, target, sequence, part) do nothing returning sequence`,
      values,
    );
    inserted += added.length;
  }
  return inserted;
}

/** More deliveries wait in a lane, which is made when there is none. */
export async function addWaiting(
  tx: Transaction,
  lane: LaneKey,
  { count, now }: { count: number; now: number },
): Promise<number> {
  const rows = await tx.all<{ waiting: number }>(
    `insert into event_lanes (account, rule, target, waiting, due_at, attempts, lease, lease_until)
     values ($1, $2, $3, $4, $5, 0, '', 0)
     on conflict (account, rule, target) do update
     set waiting = event_lanes.waiting + excluded.waiting,
         due_at = case when event_lanes.waiting > 0 then event_lanes.due_at else excluded.due_at end
     returning waiting`,
    [lane.account, lane.rule, lane.target, count, now],
  );
  return rows[0]?.waiting ?? 0;
}

/**
 * Takes lanes with something due for one turn each, the longest due first. What is due implausibly
 * late is due now: the clock was ahead when it was written.
 */
export function claimLanes(
  tx: Transaction,
  claim: { now: number; latest: number; lease: string; leaseUntil: number; limit: number },
): Promise<LaneRow[]> {
  return tx.all<LaneRow>(
    `with due as (
       select account, rule, target from event_lanes
       where waiting > 0 and (due_at <= $1 or due_at > $2)
         and (lease_until <= $1 or lease_until > $2)
       order by due_at limit $5 ${tx.dialect.forUpdateSkipLocked}
     )
     update event_lanes set lease = $3, lease_until = $4
     where (account, rule, target) in (select account, rule, target from due)
     returning ${laneColumns}`,
    [claim.now, claim.latest, claim.lease, claim.leaseUntil, claim.limit],
  );
}

/** Whether `claimLanes` would find something: without the price of a writing transaction. */
export async function hasDueLanes(
  db: Queryable,
  { now, latest }: { now: number; latest: number },
): Promise<boolean> {
  const rows = await db.all(
    `select rule from event_lanes
     where waiting > 0 and (due_at <= $1 or due_at > $2)
       and (lease_until <= $1 or lease_until > $2) limit 1`,
    [now, latest],
  );
  return rows.length > 0;
}

/** The oldest that waits in a lane. */
export async function selectOldestDelivery(
  db: Queryable,
  { account, rule, target }: LaneKey,
): Promise<DeliveryRow | undefined> {
  const rows = await db.all<DeliveryRow>(
    `select ${deliveryColumns} from event_deliveries
     where account = $1 and rule = $2 and target = $3 order by sequence, part limit 1`,
    [account, rule, target],
  );
  return rows[0];
}

export interface LaneOutcome {
  readonly waitingLess: 0 | 1;
  readonly dueAt: number;
  readonly attempts: number;
  readonly leaseUntil: number;
  /** Absent: it was delivered, at the given time. */
  readonly failure?: { readonly code: string; readonly text: string };
  readonly now: number;
}

/** False when the lease was lost: then nothing has changed. */
export async function updateLane(
  tx: Transaction,
  { account, rule, target }: LaneKey,
  lease: string,
  outcome: LaneOutcome,
): Promise<boolean> {
  const { failure } = outcome;
  const rows = await tx.all(
    `update event_lanes
     set waiting = waiting - $5, due_at = $6, attempts = $7, lease_until = $8,
         failure_code = $9, failure_text = $10,
         failing_since = case when $11 = 1 then coalesce(failing_since, $12) else null end,
         delivered_at = case when $11 = 1 then delivered_at else $12 end
     where account = $1 and rule = $2 and target = $3 and lease = $4
     returning waiting`,
    [
      ...[account, rule, target, lease, outcome.waitingLess, outcome.dueAt, outcome.attempts],
      ...[outcome.leaseUntil, failure?.code ?? null, failure?.text ?? null],
      ...[failure === undefined ? 0 : 1, outcome.now],
    ],
  );
  return rows.length > 0;
}

/** Ends a turn. */
export async function releaseLane(
  tx: Transaction,
  { account, rule, target }: LaneKey,
  lease: string,
): Promise<void> {
  await tx.all(
    `update event_lanes set lease_until = 0
     where account = $1 and rule = $2 and target = $3 and lease = $4`,
    [account, rule, target, lease],
  );
}

/** After a start of the only node: nobody else holds a lease. */
export async function endLaneLeases(tx: Transaction): Promise<void> {
  await tx.all("update event_lanes set lease = '', lease_until = 0 where lease_until > 0");
}

export async function deleteDelivery(tx: Transaction, row: DeliveryRow): Promise<void> {
  await tx.all(
    `delete from event_deliveries
     where account = $1 and rule = $2 and target = $3 and sequence = $4 and part = $5`,
    [row.account, row.rule, row.target, row.sequence, row.part],
  );
}

/** A target is gone, and with it what waits for it. @returns how many deliveries */
export async function deleteLane(
  tx: Transaction,
  { account, rule, target }: LaneKey,
): Promise<number> {
  const key = [account, rule, target];
  const where = "account = $1 and rule = $2 and target = $3";
  await tx.all(`delete from event_lanes where ${where}`, key);
  const rows = await tx.all(`delete from event_deliveries where ${where} returning sequence`, key);
  return rows.length;
}

/** Takes the oldest out of a lane that has become too long. */
export async function takeOldestDeliveries(
  tx: Transaction,
  { account, rule, target }: LaneKey,
  count: number,
): Promise<DeliveryRow[]> {
  const rows = await tx.all<DeliveryRow>(
    `select ${deliveryColumns} from event_deliveries
     where account = $1 and rule = $2 and target = $3 order by sequence, part limit $4`,
    [account, rule, target, count],
  );
  for (const row of rows) await deleteDelivery(tx, row);
  await tx.all(
    `update event_lanes set waiting = waiting - $4
     where account = $1 and rule = $2 and target = $3`,
    [account, rule, target, rows.length],
  );
  return rows;
}

/** Every target that ever had something to deliver and still exists. */
export function selectLanes(db: Queryable, account?: string): Promise<LaneRow[]> {
  return db.all<LaneRow>(
    `select ${laneColumns} from event_lanes
     ${account === undefined ? "" : "where account = $1"} order by account, rule, target`,
    account === undefined ? [] : [account],
  );
}
