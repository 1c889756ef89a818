/** Queries on upload sessions. */
import type { Queryable, Transaction } from "../metadata-store.ts";
import { repositoryId } from "./repositories.ts";

export interface UploadRow {
  id: string;
  repository_id: number;
  digest_algorithm: string;
  touched_at: number;
}

export async function insertUpload(
  tx: Transaction,
  upload: { id: string; repositoryId: number; digestAlgorithm: string; now: number },
): Promise<void> {
  await tx.all(
    `insert into uploads (id, repository_id, digest_algorithm, created_at, touched_at)
     values ($1, $2, $3, $4, $4)`,
    [upload.id, upload.repositoryId, upload.digestAlgorithm, upload.now],
  );
}

export async function countUploads(db: Queryable, repositoryId: number): Promise<number> {
  const rows = await db.all<{ count: number }>(
    "select count(*) as count from uploads where repository_id = $1",
    [repositoryId],
  );
  return Number(rows[0]?.count ?? 0);
}

export async function countAllUploads(db: Queryable): Promise<number> {
  const rows = await db.all<{ count: number }>("select count(*) as count from uploads");
  return Number(rows[0]?.count ?? 0);
}

export async function selectUpload(
  db: Queryable,
  account: string,
  repository: string,
  id: string,
): Promise<UploadRow | undefined> {
  const rows = await db.all<UploadRow>(
    `select id, repository_id, digest_algorithm, touched_at from uploads
     where id = $3 and repository_id = (${repositoryId})`,
    [account, repository, id],
  );
  return rows[0];
}

/** False when the session has ended. */
export async function touchUpload(tx: Transaction, id: string, now: number): Promise<boolean> {
  const rows = await tx.all("update uploads set touched_at = $2 where id = $1 returning id", [
    id,
    now,
  ]);
  return rows.length > 0;
}

/** True when the session existed. */
export async function deleteUpload(tx: Transaction, id: string): Promise<boolean> {
  const rows = await tx.all("delete from uploads where id = $1 returning id", [id]);
  return rows.length > 0;
}

/** Sessions that nobody touched since, oldest first. */
export async function selectExpiredUploads(
  db: Queryable,
  touchedBefore: number,
  limit: number,
): Promise<string[]> {
  const rows = await db.all<{ id: string }>(
    "select id from uploads where touched_at < $1 order by touched_at limit $2",
    [touchedBefore, limit],
  );
  return rows.map((row) => row.id);
}

/** Ends a session unless it was touched meanwhile; true when it did. */
export async function deleteExpiredUpload(
  tx: Transaction,
  id: string,
  touchedBefore: number,
): Promise<boolean> {
  const rows = await tx.all("delete from uploads where id = $1 and touched_at < $2 returning id", [
    id,
    touchedBefore,
  ]);
  return rows.length > 0;
}
