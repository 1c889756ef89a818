/** Queries on replications as backfills make, count and give them up. */
import type { Queryable, Transaction } from "../metadata-store.ts";
import type { PreviousState } from "./backfill-items.ts";
import { placeholders } from "./blobs.ts";
import type { NewReplication } from "./replications.ts";

/**
 * Makes an image due for a backfill. A push of the same image that still waits keeps its turn; what
 * has ended before begins anew, with the newer of the two versions.
 * @returns what the replication was before
 */
export async function queueForBackfill(
  tx: Transaction,
  backfill: string,
  row: NewReplication,
): Promise<PreviousState> {
  const [present] = await tx.all<{ id: string; state: PreviousState }>(
    `select id, state from replications
     where repository_id = $1 and digest = $2 and tag = $3
       and destination_region = $4 and destination_account = $5 ${tx.dialect.forUpdate}`,
    [row.repositoryId, row.digest, row.tag, row.destinationRegion, row.destinationAccount],
  );
  if (present === undefined) {
    await insertForBackfill(tx, backfill, row);
    return "none";
  }
  if (present.state === "pending") {
    await tx.all("update replications set backfill = $2 where id = $1", [present.id, backfill]);
    return "pending";
  }
  await tx.all(
    `update replications
     set state = 'pending', bulk = 0, backlog = 1, backfill = $2, due_at = $3, created_at = $3,
         attempts = 0, lease = lease + 1, lease_until = 0, bytes_remaining = $4,
         clock = case when clock > $5 then clock else $5 end
     where id = $1`,
    [present.id, backfill, row.now, row.bytes, row.clock],
  );
  return present.state;
}

async function insertForBackfill(
  tx: Transaction,
  backfill: string,
  row: NewReplication,
): Promise<void> {
  await tx.all(
    `insert into replications (id, repository_id, account, repository, digest, tag,
       destination_region, destination_account, state, bulk, backlog, backfill, clock, origin,
       created_at, due_at, attempts, lease, lease_until, bytes_sent, bytes_remaining)
     values ($1, $2, $3, $4, $5, $6, $7, $8, 'pending', 0, 1, $9, $10, $11, $12, $12, 0, 1, 0, 0,
       $13)`,
    [
      row.id,
      row.repositoryId,
      row.account,
      row.repository,
      row.digest,
      row.tag,
      row.destinationRegion,
      row.destinationAccount,
      backfill,
      row.clock,
      row.origin,
      row.now,
      row.bytes,
    ],
  );
}

export interface BackfillReplicationRow {
  id: string;
  repository: string;
  digest: string;
  tag: string;
  state: "pending" | "complete" | "failed";
  failure_code: string | null;
  /** What it was before the backfill. */
  previous: PreviousState;
}

const columns = `r.id, r.repository, r.digest, r.tag, r.state, r.failure_code, i.previous`;
const items = `replications r join backfill_items i on i.backfill = r.backfill
  and i.repository = r.repository and i.digest = r.digest and i.tag = r.tag`;

/** Those that have ended, or that the destination refuses as things are. */
export function selectSettledOfBackfill(
  tx: Transaction,
  backfill: string,
  refusals: readonly string[],
): Promise<BackfillReplicationRow[]> {
  return tx.all<BackfillReplicationRow>(
    `select ${columns} from ${items}
     where r.backfill = $1 and (r.state <> 'pending'
       or (r.backlog = 0 and r.failure_code in (${placeholders(refusals.length, 2)})))`,
    [backfill, ...refusals],
  );
}

/** Those that no attempt is at work on. */
export function selectIdleOfBackfill(
  tx: Transaction,
  backfill: string,
  now: number,
): Promise<BackfillReplicationRow[]> {
  return tx.all<BackfillReplicationRow>(
    `select ${columns} from ${items}
     where r.backfill = $1 and r.state = 'pending' and r.lease_until <= $2`,
    [backfill, now],
  );
}

export async function countOfBackfill(db: Queryable, backfill: string): Promise<number> {
  const rows = await db.all<{ count: number }>(
    "select count(*) as count from replications where backfill = $1",
    [backfill],
  );
  return Number(rows[0]?.count ?? 0);
}

/** It goes on, or stays as it ended, without being counted. */
export async function detachFromBackfill(tx: Transaction, id: string): Promise<void> {
  await tx.all("update replications set backfill = null where id = $1", [id]);
}

/** What runs goes on, uncounted. */
export async function detachAllFromBackfill(tx: Transaction, backfill: string): Promise<void> {
  await tx.all("update replications set backfill = null where backfill = $1", [backfill]);
}

/** Takes back what has not begun: the row is what it was before. */
export async function retractFromBackfill(
  tx: Transaction,
  { id, previous }: Pick<BackfillReplicationRow, "id" | "previous">,
): Promise<void> {
  if (previous === "none") {
    await tx.all("delete from replications where id = $1 and backlog = 1", [id]);
  } else if (previous !== "pending") {
    await tx.all(
      `update replications set state = $2, backlog = 0, lease = lease + 1,
         bytes_remaining = case when $2 = 'complete' then 0 else bytes_remaining end
       where id = $1 and backlog = 1`,
      [id, previous],
    );
  }
  await tx.all("update replications set backfill = null where id = $1", [id]);
}
