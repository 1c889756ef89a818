/** Queries on what is known of destinations: paused, unreachable; and on what moves to them. */
import type { Queryable, Transaction } from "../metadata-store.ts";

export interface DestinationStateRow {
  region: string;
  paused_at: number | null;
  paused_by: string | null;
  unreachable_since: number | null;
  unreachable_code: string | null;
  unreachable_text: string | null;
}

/** Those of which anything is known. */
export function selectDestinationStates(db: Queryable): Promise<DestinationStateRow[]> {
  return db.all<DestinationStateRow>(
    `select region, paused_at, paused_by, unreachable_since, unreachable_code, unreachable_text
     from replication_destinations order by region`,
  );
}

/** One that is paused stays so since then. */
export async function pauseDestinationRow(
  tx: Transaction,
  pause: { region: string; at: number; by: string },
): Promise<void> {
  await tx.all(
    `insert into replication_destinations (region, paused_at, paused_by) values ($1, $2, $3)
     on conflict (region) do update
     set paused_at = coalesce(replication_destinations.paused_at, excluded.paused_at),
         paused_by = coalesce(replication_destinations.paused_by, excluded.paused_by)`,
    [pause.region, pause.at, pause.by],
  );
}

/** False when it was not paused. */
export async function resumeDestinationRow(tx: Transaction, region: string): Promise<boolean> {
  const rows = await tx.all(
    `update replication_destinations set paused_at = null, paused_by = null
     where region = $1 and paused_at is not null returning region`,
    [region],
  );
  return rows.length > 0;
}

/** It is unreachable since the first time that this was noted. */
export async function noteUnreachable(
  tx: Transaction,
  note: { region: string; since: number; code: string; text: string },
): Promise<void> {
  await tx.all(
    `insert into replication_destinations
       (region, unreachable_since, unreachable_code, unreachable_text) values ($1, $2, $3, $4)
     on conflict (region) do update
     set unreachable_since =
           coalesce(replication_destinations.unreachable_since, excluded.unreachable_since),
         unreachable_code = excluded.unreachable_code,
         unreachable_text = excluded.unreachable_text`,
    [note.region, note.since, note.code, note.text],
  );
}

export async function noteReachable(tx: Transaction, region: string): Promise<void> {
  await tx.all(
    `update replication_destinations
     set unreachable_since = null, unreachable_code = null, unreachable_text = null
     where region = $1 and unreachable_since is not null`,
    [region],
  );
}

export interface ReplicationSample {
  readonly region: string;
  readonly at: number;
  /** Tells nodes and moments apart. */
  readonly id: string;
  readonly images: number;
  readonly bytes: number;
}

export async function insertReplicationSample(
  tx: Transaction,
  sample: ReplicationSample,
): Promise<void> {
  await tx.all(
    `insert into replication_samples (destination_region, at, id, images, bytes)
     values ($1, $2, $3, $4, $5)`,
    [sample.region, sample.at, sample.id, sample.images, sample.bytes],
  );
}

export async function deleteReplicationSamples(tx: Transaction, before: number): Promise<void> {
  await tx.all("delete from replication_samples where at < $1", [before]);
}

/** What has moved since a time. */
export async function selectMoved(
  db: Queryable,
  since: number,
): Promise<{ region: string; images: number; bytes: number }[]> {
  const rows = await db.all<{ region: string; images: number; bytes: number }>(
    `select destination_region as region, cast(sum(images) as bigint) as images,
       cast(sum(bytes) as bigint) as bytes
     from replication_samples where at >= $1 group by destination_region`,
    [since],
  );
  return rows.map((row) => ({ ...row, images: Number(row.images), bytes: Number(row.bytes) }));
}
