/** Queries by which an operator looks at replications as a whole, and sends them on their way again. */
import type { Queryable, SqlValue, Transaction } from "../metadata-store.ts";
import { placeholders } from "./blobs.ts";

export interface FailureGroupRow {
  destination_region: string;
  destination_account: string;
  state: "pending" | "failed";
  code: string;
  side: string;
  images: number;
  first_pushed_at: number;
  last_failed_at: number;
}

/** What has failed, or is tried again after a failure, by cause. */
export async function selectFailureGroups(db: Queryable): Promise<FailureGroupRow[]> {
  const rows = await db.all<FailureGroupRow>(
    `select destination_region, destination_account, state, failure_code as code,
       min(failure_side) as side, count(*) as images, min(created_at) as first_pushed_at,
       max(failed_at) as last_failed_at
     from replications where state in ('pending', 'failed') and failure_code is not null
     group by destination_region, destination_account, state, failure_code
     order by destination_region, destination_account, state, failure_code`,
  );
  return rows.map((row) => ({ ...row, images: Number(row.images) }));
}

export interface FailureExampleRow {
  id: string;
  account: string;
  repository: string;
  digest: string;
  tag: string;
  attempts: number;
  text: string;
}

/** Some of one group. */
export function selectFailureExamples(
  db: Queryable,
  group: Pick<FailureGroupRow, "destination_region" | "destination_account" | "state" | "code">,
  limit: number,
): Promise<FailureExampleRow[]> {
  return db.all<FailureExampleRow>(
    `select id, account, repository, digest, tag, attempts, failure_text as text
     from replications
     where state = $1 and destination_region = $2 and destination_account = $3
       and failure_code = $4
     limit $5`,
    [group.state, group.destination_region, group.destination_account, group.code, limit],
  );
}

export interface ReplicationSelection {
  readonly region?: string;
  readonly destinationAccount?: string;
  readonly code?: string;
  /** The name of a repository, of any account. */
  readonly repository?: string;
  /** At most 500. */
  readonly ids?: readonly string[];
}

/**
 * Makes due at once what has failed for good and what waits after a failure; what is being attempted
 * is left alone. @returns how many
 */
export async function reviveReplications(
  tx: Transaction,
  selection: ReplicationSelection,
  now: number,
): Promise<number> {
  const parameters: SqlValue[] = [now];
  const conditions: string[] = [];
  const equal = (column: string, value: string | undefined) => {
    if (value === undefined) return;
    parameters.push(value);
    conditions.push(`and ${column} = $${parameters.length}`);
  };
  equal("destination_region", selection.region);
  equal("destination_account", selection.destinationAccount);
  equal("failure_code", selection.code);
  equal("repository", selection.repository);
  if (selection.ids !== undefined) {
    conditions.push(`and id in (${placeholders(selection.ids.length, parameters.length + 1)})`);
    parameters.push(...selection.ids);
  }
  const rows = await tx.all(
    `update replications
     set state = 'pending', due_at = $1, attempts = 0, lease = lease + 1, lease_until = 0
     where state in ('pending', 'failed') and failure_code is not null and lease_until <= $1
       ${conditions.join(" ")}
     returning id`,
    parameters,
  );
  return rows.length;
}

export interface ImagesAtRiskRow {
  images: number;
  bytes: number;
  oldest_pushed_at: number | null;
}

/** Images that rules send and that have arrived in no other region than `region`. */
export async function selectImagesAtRisk(db: Queryable, region: string): Promise<ImagesAtRiskRow> {
  const [row] = await db.all<ImagesAtRiskRow>(
    `select count(*) as images, cast(coalesce(sum(bytes), 0) as bigint) as bytes,
       min(created_at) as oldest_pushed_at
     from (
       select max(bytes_remaining) as bytes, min(created_at) as created_at
       from replications p
       where state in ('pending', 'failed') and destination_region <> $1
         and not exists (
           select 1 from replications c
           where c.repository_id = p.repository_id and c.digest = p.digest and c.tag = p.tag
             and c.state = 'complete' and c.destination_region <> $1)
       group by repository_id, digest, tag
     ) image`,
    [region],
  );
  return {
    images: Number(row?.images ?? 0),
    bytes: Number(row?.bytes ?? 0),
    oldest_pushed_at: row?.oldest_pushed_at ?? null,
  };
}
