/** Queries on replications: the durable rows that say which image still goes where. */
import type { ReferenceRole } from "../../image/manifest.ts";
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
         state = 'pending', bulk = 0, clock = excluded.clock, origin = excluded.origin,
         due_at = excluded.due_at, attempts = 0, lease = replications.lease + 1, lease_until = 0,
         completed_at = null, bytes_remaining = excluded.bytes_remaining,
         failure_code = null, failure_side = null, failure_text = null, failed_at = null`,
    values,
  );
}

/** Bytes of all blobs that can be reached from a manifest. */
export async function selectClosureBytes(
  db: Queryable,
  repositoryId: number,
  digest: string,
): Promise<number> {
  const rows = await db.all<{ bytes: number }>(
    `with recursive reached (digest) as (
       select digest from manifests where repository_id = $1 and digest = $2
       union
       select r.digest from reached
       join manifest_references r
         on r.repository_id = $1 and r.manifest = reached.digest and r.role = 'manifest'
     )
     select cast(coalesce(sum(size), 0) as bigint) as bytes from (
       select r.digest, max(r.size) as size from reached
       join manifest_references r on r.repository_id = $1 and r.manifest = reached.digest
       where r.role <> 'manifest' group by r.digest
     ) blob`,
    [repositoryId, digest],
  );
  return Number(rows[0]?.bytes ?? 0);
}

/** When the next replication to a region is due; undefined when none is waiting. */
export async function selectNextDue(
  db: Queryable,
  region: string,
  bulk: boolean,
): Promise<number | undefined> {
  const rows = await db.all<{ due_at: number }>(
    `select due_at from replications
     where state = 'pending' and destination_region = $1 and bulk = $2
     order by due_at limit 1`,
    [region, bulk ? 1 : 0],
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
}

/** Takes due replications for an attempt each, the longest due first. */
export function claimReplications(
  tx: Transaction,
  claim: { region: string; bulk: boolean; now: number; leaseUntil: number; limit: number },
): Promise<ClaimedReplication[]> {
  return tx.all<ClaimedReplication>(
    `with due as (
       select id from replications
       where state = 'pending' and destination_region = $1 and bulk = $2 and due_at <= $3
       order by due_at limit $5 ${tx.dialect.forUpdateSkipLocked}
     )
     update replications
     set lease = lease + 1, lease_until = $4, due_at = $4, attempts = attempts + 1
     where id in (select id from due)
     returning id, repository_id, account, repository, digest, tag, destination_region,
       destination_account, clock, origin, created_at, attempts, lease`,
    [claim.region, claim.bulk ? 1 : 0, claim.now, claim.leaseUntil, claim.limit],
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
     where state = 'pending' and failure_code is null
       and destination_region not in (${placeholders(regions.length, 5)})`,
    [failure.code, failure.side, failure.text, failure.now, ...regions],
  );
}

export interface OfferManifestRow {
  media_type: string;
  bytes: Uint8Array<ArrayBuffer>;
  origin: string;
}

export async function selectManifestForOffer(
  db: Queryable,
  repositoryId: number,
  digest: string,
): Promise<OfferManifestRow | undefined> {
  const rows = await db.all<OfferManifestRow>(
    "select media_type, bytes, origin from manifests where repository_id = $1 and digest = $2",
    [repositoryId, digest],
  );
  return rows[0];
}

export interface HeldReferenceRow {
  role: ReferenceRole;
  digest: string;
  required: number;
  /** Null when the repository does not have it as a blob. */
  blob_size: number | null;
  is_manifest: number;
}

/** The descriptors of a manifest, each with what the repository has of it. */
export function selectHeldReferences(
  db: Queryable,
  repositoryId: number,
  manifest: string,
): Promise<HeldReferenceRow[]> {
  return db.all<HeldReferenceRow>(
    `select r.role, r.digest, r.required, b.size as blob_size,
       case when m.digest is null then 0 else 1 end as is_manifest
     from manifest_references r
     left join repository_blobs l on l.repository_id = r.repository_id and l.digest = r.digest
     left join blobs b on b.digest = l.digest
     left join manifests m on m.repository_id = r.repository_id and m.digest = r.digest
     where r.repository_id = $1 and r.manifest = $2
     order by r.position`,
    [repositoryId, manifest],
  );
}

export interface ReplicationStatusRow {
  digest: string;
  tag: string;
  destination_region: string;
  destination_account: string;
  state: "pending" | "complete" | "failed";
  created_at: number;
  completed_at: number | null;
  attempts: number;
  bytes_sent: number;
  bytes_remaining: number;
  failure_code: string | null;
  failure_side: string | null;
  failure_text: string | null;
  failed_at: number | null;
}

/** The replications of one manifest, of all its tags. */
export function selectReplicationsOfManifest(
  db: Queryable,
  repositoryId: number,
  digest: string,
): Promise<ReplicationStatusRow[]> {
  return db.all<ReplicationStatusRow>(
    `select digest, tag, destination_region, destination_account, state, created_at, completed_at,
       attempts, bytes_sent, bytes_remaining, failure_code, failure_side, failure_text, failed_at
     from replications where repository_id = $1 and digest = $2
     order by destination_region, destination_account, tag`,
    [repositoryId, digest],
  );
}

export interface DestinationBacklogRow {
  destination_region: string;
  destination_account: string;
  pending: number;
  failed: number;
  oldest_created_at: number | null;
  bytes_remaining: number;
}

/** What has not arrived, per destination. Destinations without any are not listed. */
export async function selectDestinationBacklogs(db: Queryable): Promise<DestinationBacklogRow[]> {
  const rows = await db.all<DestinationBacklogRow>(
    `select destination_region, destination_account,
       sum(case when state = 'pending' then 1 else 0 end) as pending,
       sum(case when state = 'failed' then 1 else 0 end) as failed,
       min(case when state = 'pending' then created_at end) as oldest_created_at,
       cast(sum(case when state = 'pending' then bytes_remaining else 0 end) as bigint)
         as bytes_remaining
     from replications where state in ('pending', 'failed')
     group by destination_region, destination_account
     order by destination_region, destination_account`,
  );
  return rows.map((row) => ({
    ...row,
    pending: Number(row.pending),
    failed: Number(row.failed),
    bytes_remaining: Number(row.bytes_remaining),
  }));
}

/** The session of an incoming blob, so that abandoned ones expire like a client's upload. */
export async function upsertIncomingBlob(
  tx: Transaction,
  incoming: { id: string; digestAlgorithm: string; now: number },
): Promise<void> {
  // Repository 0 does not exist: no client can reach this session.
  await tx.all(
    `insert into uploads (id, repository_id, digest_algorithm, created_at, touched_at)
     values ($1, 0, $2, $3, $3)
     on conflict (id) do update set touched_at = excluded.touched_at`,
    [incoming.id, incoming.digestAlgorithm, incoming.now],
  );
}

/** Those among `ids` that are open sessions. */
export async function selectIncomingBlobs(
  db: Queryable,
  ids: readonly string[],
): Promise<Set<string>> {
  const found = new Set<string>();
  for (let start = 0; start < ids.length; start += 500) {
    const part = ids.slice(start, start + 500);
    const rows = await db.all<{ id: string }>(
      `select id from uploads where id in (${placeholders(part.length, 1)})`,
      part,
    );
    for (const row of rows) found.add(row.id);
  }
  return found;
}
