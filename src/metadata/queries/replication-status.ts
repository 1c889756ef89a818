/** Queries on what has been replicated and what has not. */
import type { Queryable } from "../metadata-store.ts";

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
