/**
 * Queries for people who look: repositories and images by a piece of their name, in an order that
 * they choose. Pages are read from the last row of the page before, so the last page costs no more
 * than the first.
 */
import type { Queryable, SqlValue } from "../metadata-store.ts";
import type { ImageRow, TagStatus } from "./images.ts";
import type { RepositoryRow } from "./repositories.ts";

export type Direction = "ascending" | "descending";

export interface RepositorySearch {
  /** A piece of the name; empty: all. */
  readonly text: string;
  readonly sort: "name" | "created";
  readonly direction: Direction;
}

/** The last row of the page before. */
export interface SearchCursor {
  /** What it is sorted by first: milliseconds, or nothing of interest. */
  readonly value: number;
  readonly name: string;
}

/** A pattern of `like … escape '!'` that finds the text anywhere. */
function contains(text: string): string {
  return `%${text.replace(/[!%_]/g, "!$&")}%`;
}

const order = {
  ascending: { sign: ">", word: "asc" },
  descending: { sign: "<", word: "desc" },
} as const;

export function searchRepositories(
  db: Queryable,
  account: string,
  { text, sort, direction }: RepositorySearch,
  page: { readonly after: SearchCursor | undefined; readonly limit: number },
): Promise<RepositoryRow[]> {
  const values: SqlValue[] = [account, page.limit];
  const { sign, word } = order[direction];
  let conditions = "";
  if (text !== "") conditions += ` and name like $${values.push(contains(text))} escape '!'`;
  if (page.after !== undefined) {
    const { value, name } = page.after;
    conditions +=
      sort === "name"
        ? ` and name ${sign} $${values.push(name)}`
        : ` and (created_at, name) ${sign} ($${values.push(value)}, $${values.push(name)})`;
  }
  const columns = sort === "name" ? `name ${word}` : `created_at ${word}, name ${word}`;
  return db.all<RepositoryRow>(
    `select id, account, name, created_at from repositories
     where account = $1${conditions} order by ${columns} limit $2`,
    values,
  );
}

export async function countRepositories(
  db: Queryable,
  account: string,
  text: string,
): Promise<number> {
  const rows = await db.all<{ count: number }>(
    `select count(*) as count from repositories where account = $1
     ${text === "" ? "" : "and name like $2 escape '!'"}`,
    text === "" ? [account] : [account, contains(text)],
  );
  return Number(rows[0]?.count ?? 0);
}

export interface ContentSummaryRow {
  images: number;
  /** Null without images. */
  pushed_at: number | null;
}

/** Both come from an index of small rows. */
export async function selectContentSummary(
  db: Queryable,
  repositoryId: number,
): Promise<ContentSummaryRow> {
  const rows = await db.all<ContentSummaryRow>(
    `select count(*) as images, max(pushed_at) as pushed_at from manifests
     where repository_id = $1`,
    [repositoryId],
  );
  const row = rows[0];
  return { images: Number(row?.images ?? 0), pushed_at: row?.pushed_at ?? null };
}

export interface ImageSearch {
  /** A piece of a tag; empty: all, also untagged ones. */
  readonly tag: string;
  readonly tagStatus: TagStatus;
  /** Of the time of the push. */
  readonly direction: Direction;
}

function imageConditions({ tag, tagStatus }: ImageSearch, values: SqlValue[]): string {
  const tags = `select 1 from tags t
    where t.repository_id = manifests.repository_id and t.digest = manifests.digest`;
  let sql = "";
  // Names are looked through once, and not anew for each image.
  if (tag !== "") {
    const pattern = values.push(contains(tag));
    sql += ` and digest in (
      select t.digest from tags t where t.repository_id = $1 and t.name like $${pattern} escape '!')`;
  }
  if (tagStatus === "TAGGED" && tag === "") sql += ` and exists (${tags})`;
  if (tagStatus === "UNTAGGED") sql += ` and not exists (${tags})`;
  return sql;
}

/** In the order of their pushes. Of each the digest and that time alone: they are in the index. */
export function searchImages(
  db: Queryable,
  repositoryId: number,
  search: ImageSearch,
  page: { readonly after: SearchCursor | undefined; readonly limit: number },
): Promise<Pick<ImageRow, "digest" | "pushed_at">[]> {
  const values: SqlValue[] = [repositoryId, page.limit];
  const { sign, word } = order[search.direction];
  let conditions = imageConditions(search, values);
  if (page.after !== undefined) {
    const { value, name } = page.after;
    conditions += ` and (pushed_at, digest) ${sign} ($${values.push(value)}, $${values.push(name)})`;
  }
  return db.all(
    `select digest, pushed_at from manifests
     where repository_id = $1${conditions} order by pushed_at ${word}, digest ${word} limit $2`,
    values,
  );
}

export async function countImages(
  db: Queryable,
  repositoryId: number,
  search: ImageSearch,
): Promise<number> {
  const values: SqlValue[] = [repositoryId];
  const conditions = imageConditions(search, values);
  const rows = await db.all<{ count: number }>(
    `select count(*) as count from manifests where repository_id = $1${conditions}`,
    values,
  );
  return Number(rows[0]?.count ?? 0);
}
