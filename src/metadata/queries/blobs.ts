/**
 * Queries on blobs and on their links to repositories. `touched_at` is what holds the collector
 * off: every promise that a blob is here renews it.
 */
import type { Queryable, SqlValue, Transaction } from "../metadata-store.ts";
import { repositoryId } from "./repositories.ts";

/** Registers a blob of the region, or renews it. Holds its row until the transaction ends. */
export async function upsertBlob(
  tx: Transaction,
  digest: string,
  size: number,
  now: number,
): Promise<void> {
  await tx.all(
    `insert into blobs (digest, size, touched_at) values ($1, $2, $3)
     on conflict (digest) do update set touched_at = excluded.touched_at, size = excluded.size`,
    [digest, size, now],
  );
}

/** Renews a blob that is registered and holds its row; undefined when it is not. */
export async function touchBlob(
  tx: Transaction,
  digest: string,
  now: number,
): Promise<{ size: number } | undefined> {
  const rows = await tx.all<{ size: number }>(
    "update blobs set touched_at = $2 where digest = $1 returning size",
    [digest, now],
  );
  return rows[0];
}

/** Links a blob to a repository, or renews the link. */
export async function linkBlob(
  tx: Transaction,
  repositoryId: number,
  digest: string,
  now: number,
): Promise<void> {
  await tx.all(
    `insert into repository_blobs (repository_id, digest, touched_at) values ($1, $2, $3)
     on conflict (repository_id, digest) do update set touched_at = excluded.touched_at`,
    [repositoryId, digest, now],
  );
}

/**
 * Renews the links that exist among `digests`, holds them, and returns those found. A link whose
 * blob has no row any more is not found: the scrubber took the blob away, and it must be pushed
 * again.
 */
export async function touchBlobLinks(
  tx: Transaction,
  repositoryId: number,
  digests: readonly string[],
  now: number,
): Promise<Set<string>> {
  const found = new Set<string>();
  for (const part of parts(digests)) {
    const rows = await tx.all<{ digest: string }>(
      `update repository_blobs set touched_at = $2
       where repository_id = $1 and digest in (${placeholders(part.length, 3)})
         and exists (select 1 from blobs b where b.digest = repository_blobs.digest)
       returning digest`,
      [repositoryId, now, ...part],
    );
    for (const row of rows) found.add(row.digest);
  }
  return found;
}

export interface BlobLinkRow {
  repository_id: number;
  size: number;
  touched_at: number;
}

/** A blob as a repository sees it. */
export async function selectLinkedBlob(
  db: Queryable,
  account: string,
  repository: string,
  digest: string,
): Promise<BlobLinkRow | undefined> {
  const rows = await db.all<BlobLinkRow>(
    `select repository_id, touched_at, (select size from blobs where digest = $3) as size
     from repository_blobs
     where repository_id = (${repositoryId}) and digest = $3`,
    [account, repository, digest],
  );
  return rows[0]?.size == null ? undefined : rows[0];
}

/** Repositories of an account that hold a blob: where a mount without `from` may look. */
export async function selectRepositoriesWithBlob(
  db: Queryable,
  account: string,
  digest: string,
  limit: number,
): Promise<string[]> {
  const rows = await db.all<{ name: string }>(
    `select r.name from repository_blobs l join repositories r on r.id = l.repository_id
     where l.digest = $2 and r.account = $1 order by l.repository_id limit $3`,
    [account, digest, limit],
  );
  return rows.map((row) => row.name);
}

/** True when there was a link. */
export async function deleteBlobLink(
  tx: Transaction,
  repositoryId: number,
  digest: string,
): Promise<boolean> {
  const rows = await tx.all(
    "delete from repository_blobs where repository_id = $1 and digest = $2 returning digest",
    [repositoryId, digest],
  );
  return rows.length > 0;
}

/** `$first, $first+1, …` */
export function placeholders(count: number, first: number): string {
  return Array.from({ length: count }, (_, i) => `$${first + i}`).join(", ");
}

/** Lists are cut so that no statement has too many parameters; sorted, so that locks have an order. */
export function* parts(values: readonly string[]): Iterable<SqlValue[]> {
  const sorted = [...values].sort();
  for (let i = 0; i < sorted.length; i += 500) yield sorted.slice(i, i + 500);
}
