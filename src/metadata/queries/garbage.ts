/**
 * Queries of the garbage collector: pages that find candidates without holding anything, and
 * statements that look again at each candidate with its row held.
 *
 * A link (a blob in a repository) is garbage when no manifest of the repository refers to the blob
 * and nobody relied on it since the cutoff. A blob is garbage when no link is left that is not
 * garbage itself, and nobody relied on it since the cutoff either.
 *
 * The second look takes two statements. Under PostgreSQL's READ COMMITTED, a statement that waited
 * for a row sees that row anew, but everything else as it was when the statement began: a manifest
 * committed meanwhile would be missed. The next statement sees it, and while the row is held no
 * further one can come: whoever inserts references holds their links first, whoever links a blob
 * holds its row first.
 */
import type { Queryable, Transaction } from "../metadata-store.ts";
import { parts, placeholders } from "./blobs.ts";

const linkIsGarbage = (cutoff: string) => `l.touched_at < ${cutoff} and not exists (
         select 1 from manifest_references m
         where m.repository_id = l.repository_id and m.digest = l.digest)`;

export interface LinkPosition {
  readonly repositoryId: number;
  readonly digest: string;
}

export interface LinkCandidateRow {
  repository_id: number;
  digest: string;
  account: string | null;
  repository: string | null;
  garbage: number;
}

/** Links behind `after`, garbage or not, so that a page costs the same however little is found. */
export function selectLinkPage(
  db: Queryable,
  after: LinkPosition,
  cutoff: number,
  limit: number,
): Promise<LinkCandidateRow[]> {
  return db.all<LinkCandidateRow>(
    `select l.repository_id, l.digest, r.account, r.name as repository,
       case when ${linkIsGarbage("$3")} then 1 else 0 end as garbage
     from repository_blobs l left join repositories r on r.id = l.repository_id
     where (l.repository_id, l.digest) > ($1, $2)
     order by l.repository_id, l.digest limit $4`,
    [after.repositoryId, after.digest, cutoff, limit],
  );
}

export interface BlobCandidateRow {
  digest: string;
  size: number;
  garbage: number;
}

/** Blobs behind `after`, garbage or not. */
export function selectBlobPage(
  db: Queryable,
  after: string,
  cutoff: number,
  limit: number,
): Promise<BlobCandidateRow[]> {
  return db.all<BlobCandidateRow>(
    `select b.digest, b.size,
       case when b.touched_at < $2 and not exists (
         select 1 from repository_blobs l
         where l.digest = b.digest and not (${linkIsGarbage("$2")})) then 1 else 0 end as garbage
     from blobs b where b.digest > $1 order by b.digest limit $3`,
    [after, cutoff, limit],
  );
}

/**
 * Holds those links of a repository among `digests` that are still old; passes over those that
 * somebody else holds, for they are in use.
 */
export async function holdOldLinks(
  tx: Transaction,
  repositoryId: number,
  digests: readonly string[],
  cutoff: number,
): Promise<string[]> {
  const held: string[] = [];
  for (const part of parts(digests)) {
    const rows = await tx.all<{ digest: string }>(
      `select digest from repository_blobs
       where repository_id = $1 and touched_at < $2 and digest in (${placeholders(part.length, 3)})
       order by digest ${tx.dialect.forUpdateSkipLocked}`,
      [repositoryId, cutoff, ...part],
    );
    for (const row of rows) held.push(row.digest);
  }
  return held;
}

/** Removes those of the held links that no manifest of the repository refers to; returns them. */
export async function deleteUnreferencedLinks(
  tx: Transaction,
  repositoryId: number,
  held: readonly string[],
): Promise<string[]> {
  const deleted: string[] = [];
  for (const part of parts(held)) {
    const rows = await tx.all<{ digest: string }>(
      `delete from repository_blobs
       where repository_id = $1 and digest in (${placeholders(part.length, 2)})
         and not exists (
           select 1 from manifest_references m
           where m.repository_id = repository_blobs.repository_id
             and m.digest = repository_blobs.digest)
       returning digest`,
      [repositoryId, ...part],
    );
    for (const row of rows) deleted.push(row.digest);
  }
  return deleted;
}

/** Holds those rows among `digests` that are still old, passing over what somebody else holds. */
export async function holdOldBlobs(
  tx: Transaction,
  digests: readonly string[],
  cutoff: number,
): Promise<{ digest: string; size: number }[]> {
  const held: { digest: string; size: number }[] = [];
  for (const part of parts(digests)) {
    held.push(
      ...(await tx.all<{ digest: string; size: number }>(
        `select digest, size from blobs
         where touched_at < $1 and digest in (${placeholders(part.length, 2)})
         order by digest ${tx.dialect.forUpdateSkipLocked}`,
        [cutoff, ...part],
      )),
    );
  }
  return held;
}

/** Holds the row of a blob, and tells whether it has one. */
export async function holdBlobRow(tx: Transaction, digest: string): Promise<boolean> {
  const rows = await tx.all(`select digest from blobs where digest = $1 ${tx.dialect.forUpdate}`, [
    digest,
  ]);
  return rows.length > 0;
}

/** Those among `digests` that a repository links to. */
export async function selectLinkedDigests(
  db: Queryable,
  digests: readonly string[],
): Promise<Set<string>> {
  const linked = new Set<string>();
  for (const part of parts(digests)) {
    const rows = await db.all<{ digest: string }>(
      `select distinct digest from repository_blobs
       where digest in (${placeholders(part.length, 1)})`,
      part,
    );
    for (const row of rows) linked.add(row.digest);
  }
  return linked;
}

export async function deleteBlobRows(tx: Transaction, digests: readonly string[]): Promise<void> {
  for (const part of parts(digests)) {
    await tx.all(`delete from blobs where digest in (${placeholders(part.length, 1)})`, part);
  }
}

/** Those among `digests` that have a row. */
export async function selectBlobDigests(
  db: Queryable,
  digests: readonly string[],
): Promise<Set<string>> {
  const found = new Set<string>();
  for (const part of parts(digests)) {
    const rows = await db.all<{ digest: string }>(
      `select digest from blobs where digest in (${placeholders(part.length, 1)})`,
      part,
    );
    for (const row of rows) found.add(row.digest);
  }
  return found;
}

/**
 * Gives bytes without a row a row without a link. A blob that some repository links to gets none:
 * its row was taken away because its bytes were damaged, and only a push or the scrubber may say
 * that they are good again.
 * @returns true when it was inserted
 */
export async function registerOrphan(
  tx: Transaction,
  digest: string,
  size: number,
  now: number,
): Promise<boolean> {
  const rows = await tx.all(
    `insert into blobs (digest, size, touched_at)
     select $1, cast($2 as bigint), cast($3 as bigint)
     where not exists (select 1 from repository_blobs l where l.digest = $1)
     on conflict (digest) do nothing
     returning digest`,
    [digest, size, now],
  );
  return rows.length > 0;
}

/** Registers a blob; false when it has a row already. */
export async function insertBlobRow(
  tx: Transaction,
  digest: string,
  size: number,
  now: number,
): Promise<boolean> {
  const rows = await tx.all(
    `insert into blobs (digest, size, touched_at) values ($1, $2, $3)
     on conflict (digest) do nothing returning digest`,
    [digest, size, now],
  );
  return rows.length > 0;
}

/** Those among `ids` that are open sessions. */
export async function selectUploadIds(db: Queryable, ids: readonly string[]): Promise<Set<string>> {
  const found = new Set<string>();
  for (const part of parts(ids)) {
    const rows = await db.all<{ id: string }>(
      `select id from uploads where id in (${placeholders(part.length, 1)})`,
      part,
    );
    for (const row of rows) found.add(row.id);
  }
  return found;
}

/** Gives a stage without a session one that belongs to no repository, so that it expires. */
export async function registerStage(tx: Transaction, id: string, now: number): Promise<boolean> {
  const rows = await tx.all(
    `insert into uploads (id, repository_id, digest_algorithm, created_at, touched_at)
     values ($1, 0, 'sha256', $2, $2)
     on conflict (id) do nothing
     returning id`,
    [id, now],
  );
  return rows.length > 0;
}
