/** Queries on repositories. */
import type { Queryable, Transaction } from "../metadata-store.ts";
import { nextCounterValue } from "./counters.ts";

/**
 * The repository of account `$1` and name `$2`. A scalar subquery and not a join: SQLite prepares a
 * join with bound parameters anew at every execution (20 to 40 µs instead of 2).
 */
export const repositoryId = "select id from repositories where account = $1 and name = $2";

export interface RepositoryRow {
  id: number;
  account: string;
  name: string;
  created_at: number;
}

export async function selectRepository(
  db: Queryable,
  account: string,
  name: string,
): Promise<RepositoryRow | undefined> {
  const rows = await db.all<RepositoryRow>(
    "select id, account, name, created_at from repositories where account = $1 and name = $2",
    [account, name],
  );
  return rows[0];
}

/**
 * Holds a repository until the transaction ends; false when it is gone. Whoever changes manifests or
 * tags does this first: a first tag, or a manifest that another transaction is deleting, has no row
 * that could be held instead.
 */
export async function holdRepository(tx: Transaction, id: number): Promise<boolean> {
  const rows = await tx.all(`select id from repositories where id = $1 ${tx.dialect.forUpdate}`, [
    id,
  ]);
  return rows.length > 0;
}

/** Undefined when it exists already. */
export async function insertRepository(
  tx: Transaction,
  account: string,
  name: string,
  createdAt: number,
): Promise<RepositoryRow | undefined> {
  const id = await nextCounterValue(tx, "repositories");
  const rows = await tx.all<RepositoryRow>(
    `insert into repositories (id, account, name, created_at) values ($1, $2, $3, $4)
     on conflict do nothing
     returning id, account, name, created_at`,
    [id, account, name, createdAt],
  );
  return rows[0];
}

/** Names of an account's repositories behind `after`, in byte order. */
export async function selectRepositoryNames(
  db: Queryable,
  account: string,
  after: string,
  limit: number,
): Promise<string[]> {
  const rows = await db.all<{ name: string }>(
    "select name from repositories where account = $1 and name > $2 order by name limit $3",
    [account, after, limit],
  );
  return rows.map((row) => row.name);
}

/** Repositories of an account whose names are behind `after`, in byte order. */
export function selectRepositories(
  db: Queryable,
  account: string,
  after: string,
  limit: number,
): Promise<RepositoryRow[]> {
  return db.all<RepositoryRow>(
    `select id, account, name, created_at from repositories
     where account = $1 and name > $2 order by name limit $3`,
    [account, after, limit],
  );
}

export async function hasManifests(db: Queryable, id: number): Promise<boolean> {
  return (
    (await db.all("select 1 as one from manifests where repository_id = $1 limit 1", [id])).length >
    0
  );
}

/**
 * A repository with everything under its id. Upload sessions lose their repository and are dropped
 * when they expire, with their bytes.
 */
export async function deleteRepositoryRows(tx: Transaction, id: number): Promise<void> {
  for (const table of tablesOfRepository) {
    await tx.all(`delete from ${table} where repository_id = $1`, [id]);
  }
  await tx.all("delete from repositories where id = $1", [id]);
}

const tablesOfRepository = [
  "tags",
  "tag_tombstones",
  "manifest_references",
  "manifests",
  "repository_blobs",
  "replications",
];
