/** What an account has not yet replicated, per destination and in all. */
import type { Queryable, SqlValue } from "../metadata-store.ts";

export interface RouteBacklogRow {
  destination_region: string;
  destination_account: string;
  pending: number;
  failed: number;
  oldest_created_at: number | null;
  bytes_remaining: number;
}

/** Destinations that have everything are not listed. */
export async function selectRouteBacklogs(
  db: Queryable,
  account: string,
): Promise<RouteBacklogRow[]> {
  const rows = await db.all<RouteBacklogRow>(
    `select destination_region, destination_account,
       sum(case when state = 'pending' then 1 else 0 end) as pending,
       sum(case when state = 'failed' then 1 else 0 end) as failed,
       min(case when state = 'pending' then created_at end) as oldest_created_at,
       cast(sum(case when state = 'pending' then bytes_remaining else 0 end) as bigint)
         as bytes_remaining
     from replications where state in ('pending', 'failed') and account = $1
     group by destination_region, destination_account
     order by destination_region, destination_account`,
    [account],
  );
  return rows.map((row) => ({
    ...row,
    pending: Number(row.pending),
    failed: Number(row.failed),
    bytes_remaining: Number(row.bytes_remaining),
  }));
}

export interface UnreplicatedRow {
  images: number;
  bytes: number;
  oldest_created_at: number | null;
}

/** Images that are to be replicated and have arrived nowhere, under no tag. */
export async function selectUnreplicated(db: Queryable, account: string): Promise<UnreplicatedRow> {
  const rows = await db.all<UnreplicatedRow>(
    `select count(*) as images, cast(coalesce(sum(bytes), 0) as bigint) as bytes,
       min(created_at) as oldest_created_at
     from (
       select max(r.bytes_remaining) as bytes, min(r.created_at) as created_at
       from replications r
       where r.state in ('pending', 'failed') and r.account = $1
         and not exists (
           select 1 from replications arrived
           where arrived.repository_id = r.repository_id and arrived.digest = r.digest
             and arrived.state = 'complete')
       group by r.repository_id, r.digest) images`,
    [account],
  );
  const row = rows[0];
  return {
    images: Number(row?.images ?? 0),
    bytes: Number(row?.bytes ?? 0),
    oldest_created_at: row?.oldest_created_at ?? null,
  };
}

/** Repositories that hold images and whose names begin with none of the prefixes. */
export async function countRepositoriesOutside(
  db: Queryable,
  account: string,
  prefixes: readonly string[],
): Promise<number> {
  const values: SqlValue[] = [account];
  const outside = prefixes.map((prefix) => {
    const parameter = values.push(prefix);
    return ` and substr(name, 1, ${prefix.length}) <> $${parameter}`;
  });
  const rows = await db.all<{ count: number }>(
    `select count(*) as count from repositories where account = $1${outside.join("")}
       and exists (select 1 from manifests where repository_id = repositories.id)`,
    values,
  );
  return Number(rows[0]?.count ?? 0);
}
