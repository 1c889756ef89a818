/** Queries on the images and tags of a backfill. */
import type { Queryable, SqlValue, Transaction } from "../metadata-store.ts";
import { placeholders } from "./blobs.ts";

/** One image under one tag, as a backfill finds it. */
export interface BackfillCandidateRow {
  digest: string;
  /** Empty for an image without tags. */
  tag: string;
  clock: string;
  /** Of the tag; of the manifest when there is none. */
  origin: string;
  artifact_type: string;
}

/**
 * Images of a repository behind a digest and tag: those that a client pushed here and that are not
 * archived. What has no tag and belongs to an index goes with the index.
 */
export function selectBackfillCandidates(
  db: Queryable,
  repositoryId: number,
  page: { digest: string; tag: string; limit: number },
): Promise<BackfillCandidateRow[]> {
  return db.all<BackfillCandidateRow>(
    `select m.digest, coalesce(t.name, '') as tag, coalesce(t.clock, '') as clock,
       coalesce(t.origin, m.origin) as origin, coalesce(m.artifact_type, m.media_type) as artifact_type
     from manifests m
     left join tags t on t.repository_id = m.repository_id and t.digest = m.digest
     where m.repository_id = $1 and m.digest >= $2
       and (m.digest > $2 or coalesce(t.name, '') > $3)
       and m.replicated = 0 and m.storage_class = 'STANDARD'
       and (t.name is not null or not exists (
         select 1 from manifest_references r
         where r.repository_id = m.repository_id and r.digest = m.digest and r.role = 'manifest'))
     order by m.digest, t.name limit $4`,
    [repositoryId, page.digest, page.tag, page.limit],
  );
}

export interface NewBackfillItem {
  readonly repositoryId: number;
  readonly repository: string;
  readonly digest: string;
  readonly tag: string;
  readonly clock: string;
  readonly origin: string;
}

/** Those that are there already stay as they are. Returns how many are new. */
export async function insertBackfillItems(
  tx: Transaction,
  backfill: string,
  items: readonly NewBackfillItem[],
): Promise<number> {
  let inserted = 0;
  const batch = 100;
  for (let start = 0; start < items.length; start += batch) {
    const values: SqlValue[] = [];
    const rows = items.slice(start, start + batch).map((item, i) => {
      const { repository, digest, tag, repositoryId, clock, origin } = item;
      values.push(backfill, repository, digest, tag, repositoryId, clock, origin);
      return `(${placeholders(7, i * 7 + 1)}, 'waiting', 'none', null)`;
    });
    const found = await tx.all(
      `insert into backfill_items (backfill, repository, digest, tag, repository_id, clock, origin,
         state, previous, failure_code)
       values ${rows.join(", ")} on conflict do nothing returning tag`,
      values,
    );
    inserted += found.length;
  }
  return inserted;
}

export interface WaitingItemRow {
  repository: string;
  digest: string;
  tag: string;
  repository_id: number;
  clock: string;
  origin: string;
  /** 1 while the image is there, and under its tag. */
  present: number;
}

export function selectWaitingItems(
  tx: Transaction,
  backfill: string,
  limit: number,
): Promise<WaitingItemRow[]> {
  return tx.all<WaitingItemRow>(
    `select i.repository, i.digest, i.tag, i.repository_id, i.clock, i.origin,
       case when m.digest is not null and (i.tag = '' or t.digest = i.digest)
         then 1 else 0 end as present
     from backfill_items i
     left join manifests m on m.repository_id = i.repository_id and m.digest = i.digest
     left join tags t on t.repository_id = i.repository_id and t.name = i.tag
     where i.backfill = $1 and i.state = 'waiting' limit $2`,
    [backfill, limit],
  );
}

export interface ItemKey {
  readonly repository: string;
  readonly digest: string;
  readonly tag: string;
}

export type PreviousState = "none" | "pending" | "complete" | "failed";

export async function updateItemQueued(
  tx: Transaction,
  backfill: string,
  { repository, digest, tag }: ItemKey,
  previous: PreviousState,
): Promise<void> {
  await tx.all(
    `update backfill_items set state = 'queued', previous = $5
     where backfill = $1 and repository = $2 and digest = $3 and tag = $4`,
    [backfill, repository, digest, tag, previous],
  );
}

/** True when it was neither complete nor failed before. */
export async function updateItemSettled(
  tx: Transaction,
  backfill: string,
  { repository, digest, tag }: ItemKey,
  outcome: { state: "complete" | "failed"; failureCode: string | null },
): Promise<boolean> {
  const rows = await tx.all(
    `update backfill_items set state = $5, failure_code = $6
     where backfill = $1 and repository = $2 and digest = $3 and tag = $4
       and state in ('waiting', 'queued') returning tag`,
    [backfill, repository, digest, tag, outcome.state, outcome.failureCode],
  );
  return rows.length > 0;
}

/** What was queued and has no replication any more has failed. Returns how many. */
export async function failQueuedItems(
  tx: Transaction,
  backfill: string,
  failureCode: string,
): Promise<number> {
  const rows = await tx.all(
    `update backfill_items set state = 'failed', failure_code = $2
     where backfill = $1 and state = 'queued' returning tag`,
    [backfill, failureCode],
  );
  return rows.length;
}

export interface BackfillResultRow {
  repository: string;
  digest: string;
  tag: string;
  state: "complete" | "failed";
  failure_code: string | null;
}

/** Behind `after`, in the order of repositories, digests and tags. */
export function selectBackfillResults(
  db: Queryable,
  backfill: string,
  page: { state?: "complete" | "failed" | undefined; after: ItemKey; limit: number },
): Promise<BackfillResultRow[]> {
  const { state, after, limit } = page;
  const states = state === undefined ? "state in ('complete', 'failed')" : "state = $6";
  return db.all<BackfillResultRow>(
    `select repository, digest, tag, state, failure_code from backfill_items
     where backfill = $1 and (repository, digest, tag) > ($2, $3, $4) and ${states}
     order by repository, digest, tag limit $5`,
    [
      ...[backfill, after.repository, after.digest, after.tag, limit],
      ...(state === undefined ? [] : [state]),
    ],
  );
}
