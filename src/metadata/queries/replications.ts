/** Queries on replications: the durable rows that say which image still goes where. */
import type { Queryable, SqlValue, Transaction } from "../metadata-store.ts";
import { placeholders } from "./blobs.ts";

export interface NewReplication {
  readonly id: string;
  readonly repositoryId: number;
  readonly account: string;
  readonly repository: string;
  readonly digest: string;
  /** Empty for a push by digest; then `clock` is empty too. */
  readonly tag: string;
  readonly destinationRegion: string;
  readonly destinationAccount: string;
  readonly clock: string;
  readonly origin: string;
  readonly bytes: number;
  readonly now: number;
}

/**
 * Makes an image due at its destinations. A row that exists gets the newer version and a new fencing
 * token, so that an attempt under way for the older version cannot end it; while it is pending it
 * keeps its age, which is the lag.
 */
export async function upsertReplications(
  tx: Transaction,
  replications: readonly NewReplication[],
): Promise<void> {
  const values: SqlValue[] = [];
  const rows = replications.map((row, i) => {
    values.push(
      row.id,
      row.repositoryId,
      row.account,
      row.repository,
      row.digest,
      row.tag,
      row.destinationRegion,
      row.destinationAccount,
      row.clock,
      row.origin,
      row.bytes,
      row.now,
    );
    const at = (column: number) => `$${i * 12 + column}`;
    return `(${placeholders(8, i * 12 + 1)}, 'pending', 0, ${at(9)}, ${at(10)}, ${at(12)}, ${at(12)}, 0, 1, 0, 0, ${at(11)})`;
  });
  await tx.all(
    `insert into replications (id, repository_id, account, repository, digest, tag,
       destination_region, destination_account, state, bulk, clock, origin, created_at, due_at,
       attempts, lease, lease_until, bytes_sent, bytes_remaining)
     values ${rows.join(", ")}
     on conflict (repository_id, digest, tag, destination_region, destination_account) do update
     set created_at = case when replications.state = 'pending'
           then replications.created_at else excluded.created_at end,
         state = 'pending', bulk = 0, backlog = 0, clock = excluded.clock, origin = excluded.origin,
         due_at = excluded.due_at, attempts = 0, lease = replications.lease + 1, lease_until = 0,
         completed_at = null, first_attempt_at = null, bytes_remaining = excluded.bytes_remaining,
         failure_code = null, failure_side = null, failure_text = null, failed_at = null`,
    values,
  );
}

/** What waits for a region waits in four queues. */
export interface Queue {
  /** Many bytes are to be sent. */
  readonly bulk: boolean;
  /** Of a backfill. */
  readonly backlog: boolean;
}

/** When the next replication to a region is due; undefined when none is waiting. */
export async function selectNextDue(
  db: Queryable,
  region: string,
  { bulk, backlog }: Queue,
): Promise<number | undefined> {
  const rows = await db.all<{ due_at: number }>(
    `select due_at from replications
     where state = 'pending' and destination_region = $1 and bulk = $2 and backlog = $3
     order by due_at limit 1`,
    [region, bulk ? 1 : 0, backlog ? 1 : 0],
  );
  return rows[0]?.due_at;
}

export interface ClaimedReplication {
  id: string;
  repository_id: number;
  account: string;
  repository: string;
  digest: string;
  tag: string;
  destination_region: string;
  destination_account: string;
  clock: string;
  origin: string;
  created_at: number;
  attempts: number;
  lease: number;
  /** 1: of a backfill. */
  backlog: number;
  /** Of the attempt before. */
  failure_code: string | null;
}

/** Takes due replications for an attempt each, the longest due first. */
export function claimReplications(
  tx: Transaction,
  claim: Queue & { region: string; now: number; leaseUntil: number; limit: number },
): Promise<ClaimedReplication[]> {
  return tx.all<ClaimedReplication>(
    `with due as (
       select id from replications
       where state = 'pending' and destination_region = $1 and bulk = $2 and backlog = $6
         and due_at <= $3
       order by due_at limit $5 ${tx.dialect.forUpdateSkipLocked}
     )
     update replications
     set lease = lease + 1, lease_until = $4, due_at = $4, attempts = attempts + 1,
       first_attempt_at = coalesce(first_attempt_at, $3)
     where id in (select id from due)
     returning id, repository_id, account, repository, digest, tag, destination_region,
       destination_account, clock, origin, created_at, attempts, lease, backlog, failure_code`,
    [
      claim.region,
      claim.bulk ? 1 : 0,
      claim.now,
      claim.leaseUntil,
      claim.limit,
      claim.backlog ? 1 : 0,
    ],
  );
}

/** Everything that follows is done only while `lease` is the newest; false when it is not. */
export interface Lease {
  readonly id: string;
  readonly lease: number;
}

async function updateLeased(
  tx: Transaction,
  { id, lease }: Lease,
  set: string,
  values: readonly SqlValue[],
): Promise<boolean> {
  const rows = await tx.all(
    `update replications set ${set} where id = $1 and lease = $2 and state = 'pending' returning id`,
    [id, lease, ...values],
  );
  return rows.length > 0;
}

export function renewReplicationLease(
  tx: Transaction,
  lease: Lease,
  { leaseUntil, bytesSent }: { leaseUntil: number; bytesSent: number },
): Promise<boolean> {
  return updateLeased(tx, lease, "lease_until = $3, due_at = $3, bytes_sent = bytes_sent + $4", [
    leaseUntil,
    bytesSent,
  ]);
}

export function completeReplication(
  tx: Transaction,
  lease: Lease,
  { now, bytesSent }: { now: number; bytesSent: number },
): Promise<boolean> {
  return updateLeased(
    tx,
    lease,
    `state = 'complete', lease_until = 0, completed_at = $3, bytes_sent = bytes_sent + $4,
     bytes_remaining = 0, failure_code = null, failure_side = null, failure_text = null,
     failed_at = null`,
    [now, bytesSent],
  );
}

/** Gives the replication back, due at once and without counting the attempt. */
export function releaseReplication(
  tx: Transaction,
  lease: Lease,
  { now, bytesSent }: { now: number; bytesSent: number },
): Promise<boolean> {
  return updateLeased(
    tx,
    lease,
    "lease_until = 0, due_at = $3, attempts = attempts - 1, bytes_sent = bytes_sent + $4",
    [now, bytesSent],
  );
}

/** The same, into the queue of those that have many bytes to send. */
export function deferReplication(
  tx: Transaction,
  lease: Lease,
  { now, bytesRemaining }: { now: number; bytesRemaining: number },
): Promise<boolean> {
  return updateLeased(
    tx,
    lease,
    "bulk = 1, lease_until = 0, due_at = $3, attempts = attempts - 1, bytes_remaining = $4",
    [now, bytesRemaining],
  );
}

export interface RecordedFailure {
  readonly code: string;
  readonly side: string;
  readonly text: string;
  readonly now: number;
  readonly bytesSent: number;
}

/** The attempt failed; another follows. */
export function retryReplication(
  tx: Transaction,
  lease: Lease,
  failure: RecordedFailure,
  next: { dueAt: number; attempts: number },
): Promise<boolean> {
  return updateLeased(
    tx,
    lease,
    `lease_until = 0, due_at = $3, attempts = $4, failure_code = $5, failure_side = $6,
     failure_text = $7, failed_at = $8, bytes_sent = bytes_sent + $9`,
    [
      next.dueAt,
      next.attempts,
      failure.code,
      failure.side,
      failure.text,
      failure.now,
      failure.bytesSent,
    ],
  );
}

/** No attempt follows. */
export function failReplication(
  tx: Transaction,
  lease: Lease,
  failure: RecordedFailure,
): Promise<boolean> {
  return updateLeased(
    tx,
    lease,
    `state = 'failed', lease_until = 0, failure_code = $3, failure_side = $4, failure_text = $5,
     failed_at = $6, bytes_sent = bytes_sent + $7`,
    [failure.code, failure.side, failure.text, failure.now, failure.bytesSent],
  );
}

/** A destination is back: what waits because of its outage is due now. Rows with a lease are not. */
export async function hastenReplications(
  tx: Transaction,
  { region, now, codes }: { region: string; now: number; codes: readonly string[] },
): Promise<void> {
  await tx.all(
    `update replications set due_at = $2
     where state = 'pending' and destination_region = $1 and due_at > $2 and lease_until <= $2
       and failure_code in (${placeholders(codes.length, 3)})`,
    [region, now, ...codes],
  );
}

/** What is due later than anything can be: the clock was ahead when it was written. */
export async function hastenImplausible(
  tx: Transaction,
  { now, latest }: { now: number; latest: number },
): Promise<void> {
  await tx.all("update replications set due_at = $1 where state = 'pending' and due_at > $2", [
    now,
    latest,
  ]);
}

/** Ends every lease. What still runs under one is fenced off by its token. */
export async function endReplicationLeases(tx: Transaction, now: number): Promise<void> {
  await tx.all(
    `update replications set lease = lease + 1, lease_until = 0, due_at = $1
     where state = 'pending' and lease_until > 0`,
    [now],
  );
}

/** Notes why replications to regions that are not in the chart do not move. */
export async function noteUnknownRegions(
  tx: Transaction,
  regions: readonly string[],
  failure: Omit<RecordedFailure, "bytesSent">,
): Promise<void> {
  await tx.all(
    `update replications
     set failure_code = $1, failure_side = $2, failure_text = $3, failed_at = $4
     where state = 'pending' and (failure_code is null or failure_code <> $1)
       and destination_region not in (${placeholders(regions.length, 5)})`,
    [failure.code, failure.side, failure.text, failure.now, ...regions],
  );
}
