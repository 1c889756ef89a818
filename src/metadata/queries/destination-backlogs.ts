/** What has not been replicated yet, per destination. */
import type { Queryable } from "../metadata-store.ts";

export interface DestinationBacklogRow {
  destination_region: string;
  destination_account: string;
  pending: number;
  failed: number;
  /** Of what was pushed; a backfill takes its time. */
  oldest_created_at: number | null;
  bytes_remaining: number;
}

/** What has not arrived, per destination. Destinations without any are not listed. */
export async function selectDestinationBacklogs(db: Queryable): Promise<DestinationBacklogRow[]> {
  const rows = await db.all<DestinationBacklogRow>(
    `select destination_region, destination_account,
       sum(case when state = 'pending' then 1 else 0 end) as pending,
       sum(case when state = 'failed' then 1 else 0 end) as failed,
       min(case when state = 'pending' and backlog = 0 then created_at end) as oldest_created_at,
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
