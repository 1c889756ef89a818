/** Queries on what has not arrived, row by row. */
import type { Queryable } from "../metadata-store.ts";

export interface UnarrivedRow {
  id: string;
  account: string;
  repository: string;
  digest: string;
  /** Empty for a push by digest. */
  tag: string;
  clock: string;
  destination_region: string;
  destination_account: string;
  state: "pending" | "failed";
  created_at: number;
  failure_code: string | null;
}

/** In the order of the ids, behind one. */
export function selectUnarrived(
  db: Queryable,
  after: string,
  limit: number,
): Promise<UnarrivedRow[]> {
  return db.all<UnarrivedRow>(
    `select id, account, repository, digest, tag, clock, destination_region, destination_account,
       state, created_at, failure_code
     from replications where state in ('pending', 'failed') and id > $1 order by id limit $2`,
    [after, limit],
  );
}
