/**
 * Queries on images as Amazon ECR lists them: manifests with their tags, sizes and times. Pages are
 * read along the primary key, so that a page costs the same at any depth.
 */
import type { Queryable, SqlValue, Transaction } from "../metadata-store.ts";
import { parts, placeholders } from "./blobs.ts";

export type TagStatus = "TAGGED" | "UNTAGGED" | "ANY";
export type StorageClass = "STANDARD" | "ARCHIVE";

export interface ImageFilter {
  readonly tagStatus: TagStatus;
  /** Absent: of any. */
  readonly storageClass?: StorageClass;
}

export interface ImageRow {
  digest: string;
  media_type: string;
  artifact_type: string | null;
  subject: string | null;
  /** Of the manifest itself. */
  size: number;
  pushed_at: number;
  pulled_at: number | null;
  storage_class: StorageClass;
  archived_at: number | null;
  activated_at: number | null;
}

const columns = `digest, media_type, artifact_type, subject, length(bytes) as size, pushed_at,
  pulled_at, storage_class, archived_at, activated_at`;

const tagsOfManifest = `select 1 from tags t
  where t.repository_id = manifests.repository_id and t.digest = manifests.digest`;

function conditionsOf({ tagStatus, storageClass }: ImageFilter, values: SqlValue[]): string {
  let sql = "";
  if (tagStatus === "TAGGED") sql += ` and exists (${tagsOfManifest})`;
  if (tagStatus === "UNTAGGED") sql += ` and not exists (${tagsOfManifest})`;
  if (storageClass !== undefined) sql += ` and storage_class = $${values.push(storageClass)}`;
  return sql;
}

/** Images behind `after`, in the order of their digests. */
export function selectImages(
  db: Queryable,
  repositoryId: number,
  page: ImageFilter & { readonly after: string; readonly limit: number },
): Promise<ImageRow[]> {
  const values: SqlValue[] = [repositoryId, page.after, page.limit];
  const conditions = conditionsOf(page, values);
  return db.all<ImageRow>(
    `select ${columns} from manifests
     where repository_id = $1 and digest > $2${conditions}
     order by digest limit $3`,
    values,
  );
}

export async function selectImagesByDigest(
  db: Queryable,
  repositoryId: number,
  digests: readonly string[],
): Promise<ImageRow[]> {
  const rows: ImageRow[] = [];
  for (const part of parts(digests)) {
    rows.push(
      ...(await db.all<ImageRow>(
        `select ${columns} from manifests
         where repository_id = $1 and digest in (${placeholders(part.length, 2)})`,
        [repositoryId, ...part],
      )),
    );
  }
  return rows;
}

export interface ImageIdRow {
  digest: string;
  /** Null for an image without tags. */
  tag: string | null;
}

/** One row for each tag, and one for each image without, in the order of digests and tags. */
export async function selectImageIds(
  db: Queryable,
  repositoryId: number,
  page: ImageFilter & {
    readonly after: { readonly digest: string; readonly tag: string };
    readonly limit: number;
  },
): Promise<ImageIdRow[]> {
  const { after, limit } = page;
  // One more: everything of the first may lie behind us already.
  const values: SqlValue[] = [repositoryId, after.digest, limit + 1];
  const conditions = conditionsOf(page, values);
  const manifests = await db.all<{ digest: string }>(
    `select digest from manifests
     where repository_id = $1 and digest >= $2${conditions}
     order by digest limit $3`,
    values,
  );
  const digests = manifests.map(({ digest }) => digest);
  const tags = await selectTagsBehind(db, repositoryId, digests, after, limit);
  const rows: ImageIdRow[] = [];
  for (const digest of digests) {
    const names = tags.get(digest);
    if (names !== undefined) rows.push(...names.map((tag) => ({ digest, tag })));
    else if (digest !== after.digest) rows.push({ digest, tag: null });
    if (rows.length >= limit) break;
  }
  return rows.slice(0, limit);
}

/**
 * Names of tags by digest, at most `limit` in all, in the order of both. Two queries and not a join
 * with the manifests: joined, SQLite sorted all tags of the repository for every page (8 s of 100,000).
 */
async function selectTagsBehind(
  db: Queryable,
  repositoryId: number,
  digests: readonly string[],
  after: { readonly digest: string; readonly tag: string },
  limit: number,
): Promise<Map<string, string[]>> {
  const tags = new Map<string, string[]>();
  let rest = limit;
  for (const part of parts(digests)) {
    if (rest <= 0) break;
    const rows = await db.all<{ name: string; digest: string }>(
      `select name, digest from tags
       where repository_id = $1 and (digest > $2 or name > $3)
         and digest in (${placeholders(part.length, 5)})
       order by digest, name limit $4`,
      [repositoryId, after.digest, after.tag, rest, ...part],
    );
    for (const { digest, name } of rows) {
      const names = tags.get(digest);
      if (names === undefined) tags.set(digest, [name]);
      else names.push(name);
    }
    rest -= rows.length;
  }
  return tags;
}

export async function selectTagsOfDigests(
  db: Queryable,
  repositoryId: number,
  digests: readonly string[],
): Promise<Map<string, string[]>> {
  const tags = new Map<string, string[]>();
  for (const part of parts(digests)) {
    const rows = await db.all<{ name: string; digest: string }>(
      `select name, digest from tags
       where repository_id = $1 and digest in (${placeholders(part.length, 2)})
       order by digest, name`,
      [repositoryId, ...part],
    );
    for (const { digest, name } of rows) tags.set(digest, [...(tags.get(digest) ?? []), name]);
  }
  return tags;
}

/** Bytes of the configuration and the layers of manifests, by digest. */
export async function selectContentBytes(
  db: Queryable,
  repositoryId: number,
  digests: readonly string[],
): Promise<Map<string, number>> {
  const bytes = new Map<string, number>();
  for (const part of parts(digests)) {
    const rows = await db.all<{ manifest: string; bytes: number }>(
      `select manifest, cast(sum(size) as bigint) as bytes from manifest_references
       where repository_id = $1 and manifest in (${placeholders(part.length, 2)})
         and role <> 'manifest' group by manifest`,
      [repositoryId, ...part],
    );
    for (const row of rows) bytes.set(row.manifest, Number(row.bytes));
  }
  return bytes;
}

/** Which manifests indexes refer to. */
export async function selectChildren(
  db: Queryable,
  repositoryId: number,
  digests: readonly string[],
): Promise<{ manifest: string; digest: string }[]> {
  const rows: { manifest: string; digest: string }[] = [];
  for (const part of parts(digests)) {
    rows.push(
      ...(await db.all<{ manifest: string; digest: string }>(
        `select manifest, digest from manifest_references
         where repository_id = $1 and manifest in (${placeholders(part.length, 2)})
           and role = 'manifest'`,
        [repositoryId, ...part],
      )),
    );
  }
  return rows;
}

/** An index of the repository that refers to the manifest, if any. */
export async function selectReferringIndex(
  db: Queryable,
  repositoryId: number,
  digest: string,
): Promise<string | undefined> {
  const rows = await db.all<{ manifest: string }>(
    `select manifest from manifest_references
     where repository_id = $1 and digest = $2 and role = 'manifest' limit 1`,
    [repositoryId, digest],
  );
  return rows[0]?.manifest;
}

export async function updatePulledAt(
  tx: Transaction,
  repositoryId: number,
  digest: string,
  now: number,
): Promise<void> {
  await tx.all(
    `update manifests set pulled_at = $3
     where repository_id = $1 and digest = $2 and (pulled_at is null or pulled_at < $3)`,
    [repositoryId, digest, now],
  );
}

/** True when it was of the other class before. */
export async function updateStorageClass(
  tx: Transaction,
  repositoryId: number,
  digest: string,
  storageClass: StorageClass,
  now: number,
): Promise<boolean> {
  const column = storageClass === "ARCHIVE" ? "archived_at" : "activated_at";
  const rows = await tx.all(
    `update manifests set storage_class = $3, ${column} = $4
     where repository_id = $1 and digest = $2 and storage_class <> $3 returning digest`,
    [repositoryId, digest, storageClass, now],
  );
  return rows.length > 0;
}

/** All manifests of the repository that an index of it refers to. */
export async function selectIndexedDigests(
  db: Queryable,
  repositoryId: number,
): Promise<Set<string>> {
  const rows = await db.all<{ digest: string }>(
    `select distinct digest from manifest_references
     where repository_id = $1 and role = 'manifest'`,
    [repositoryId],
  );
  return new Set(rows.map(({ digest }) => digest));
}
