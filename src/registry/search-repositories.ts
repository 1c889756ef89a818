/** Finds repositories by a piece of their name, with what a list of them shows. */
import {
  countRepositories,
  type RepositorySearch,
  type SearchCursor,
  selectContentSummary,
  searchRepositories as selectRepositories,
} from "../metadata/queries/search.ts";
import type { RegistryContext } from "./context.ts";
import { type DescribedRepository, describe } from "./describe-repositories.ts";

export interface FoundRepository extends DescribedRepository {
  readonly images: number;
  /** Of the newest image, milliseconds since the epoch. */
  readonly pushedAt: number | undefined;
}

export interface RepositorySearchPage {
  readonly repositories: readonly FoundRepository[];
  /** On all pages. */
  readonly count: number;
  readonly next: SearchCursor | undefined;
}

export async function searchRepositories(
  context: RegistryContext,
  account: string,
  search: RepositorySearch,
  page: { readonly after: SearchCursor | undefined; readonly limit: number },
): Promise<RepositorySearchPage> {
  const db = context.metadata.read;
  const more = { ...page, limit: page.limit + 1 };
  const rows = await selectRepositories(db, account, search, more);
  const shown = rows.slice(0, page.limit);
  const repositories = await Promise.all(
    shown.map(async (row) => {
      const { images, pushed_at } = await selectContentSummary(db, row.id);
      return { ...(await describe(context, row)), images, pushedAt: pushed_at ?? undefined };
    }),
  );
  const last = rows.length > page.limit ? repositories.at(-1) : undefined;
  return {
    repositories,
    count: await countRepositories(db, account, search.text),
    next: last && { value: last.createdAt, name: last.name },
  };
}
