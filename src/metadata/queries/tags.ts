/** Queries on tags and on the tombstones that deleted tags leave. */
import type { Queryable, Transaction } from "../metadata-store.ts";

export interface TagRow {
  name: string;
  digest: string;
  clock: string;
  origin: string;
  updated_at: number;
}

/** Holds the tag's row, if there is one, until the transaction ends. */
export async function selectTagForUpdate(
  tx: Transaction,
  repositoryId: number,
  name: string,
): Promise<TagRow | undefined> {
  const rows = await tx.all<TagRow>(
    `select name, digest, clock, origin, updated_at from tags
     where repository_id = $1 and name = $2 ${tx.dialect.forUpdate}`,
    [repositoryId, name],
  );
  return rows[0];
}

export async function upsertTag(
  tx: Transaction,
  repositoryId: number,
  tag: { name: string; digest: string; clock: string; origin: string; now: number },
): Promise<void> {
  await tx.all(
    `insert into tags (repository_id, name, digest, clock, origin, updated_at)
     values ($1, $2, $3, $4, $5, $6)
     on conflict (repository_id, name) do update
     set digest = excluded.digest, clock = excluded.clock, origin = excluded.origin,
         updated_at = excluded.updated_at`,
    [repositoryId, tag.name, tag.digest, tag.clock, tag.origin, tag.now],
  );
}

export async function deleteTagRow(
  tx: Transaction,
  repositoryId: number,
  name: string,
): Promise<void> {
  await tx.all("delete from tags where repository_id = $1 and name = $2", [repositoryId, name]);
}

/** All tags of a manifest; holds their rows. */
export function selectTagsOfManifest(
  tx: Transaction,
  repositoryId: number,
  digest: string,
): Promise<TagRow[]> {
  return tx.all<TagRow>(
    `select name, digest, clock, origin, updated_at from tags
     where repository_id = $1 and digest = $2 order by name ${tx.dialect.forUpdate}`,
    [repositoryId, digest],
  );
}

/** Names behind `after`, in byte order. */
export async function selectTagNames(
  db: Queryable,
  repositoryId: number,
  after: string,
  limit: number,
): Promise<string[]> {
  const rows = await db.all<{ name: string }>(
    "select name from tags where repository_id = $1 and name > $2 order by name limit $3",
    [repositoryId, after, limit],
  );
  return rows.map((row) => row.name);
}

export interface TombstoneRow {
  digest: string;
  clock: string;
  origin: string;
}

export async function selectTombstone(
  tx: Transaction,
  repositoryId: number,
  name: string,
): Promise<TombstoneRow | undefined> {
  const rows = await tx.all<TombstoneRow>(
    `select digest, clock, origin from tag_tombstones
     where repository_id = $1 and name = $2 ${tx.dialect.forUpdate}`,
    [repositoryId, name],
  );
  return rows[0];
}

export async function upsertTombstone(
  tx: Transaction,
  repositoryId: number,
  tombstone: { name: string; digest: string; clock: string; origin: string; now: number },
): Promise<void> {
  await tx.all(
    `insert into tag_tombstones (repository_id, name, digest, clock, origin, deleted_at)
     values ($1, $2, $3, $4, $5, $6)
     on conflict (repository_id, name) do update
     set digest = excluded.digest, clock = excluded.clock, origin = excluded.origin,
         deleted_at = excluded.deleted_at`,
    [
      repositoryId,
      tombstone.name,
      tombstone.digest,
      tombstone.clock,
      tombstone.origin,
      tombstone.now,
    ],
  );
}

export async function deleteTombstone(
  tx: Transaction,
  repositoryId: number,
  name: string,
): Promise<void> {
  await tx.all("delete from tag_tombstones where repository_id = $1 and name = $2", [
    repositoryId,
    name,
  ]);
}
