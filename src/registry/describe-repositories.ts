/** Repositories with their settings: a page of all, or those that are named. */
import { type RepositoryRow, selectRepositories } from "../metadata/queries/repositories.ts";
import type { RegistryContext } from "./context.ts";
import { requireRepository } from "./create-repository.ts";
import { findRepositorySettings, type RepositorySettings } from "./repository-settings.ts";

export interface DescribedRepository extends RepositorySettings {
  readonly account: string;
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

/** In byte order of the names. */
export async function describeRepositoryPage(
  context: RegistryContext,
  { account, after, limit }: { account: string; after: string; limit: number },
): Promise<{ repositories: DescribedRepository[]; next: string | undefined }> {
  const rows = await selectRepositories(context.metadata.read, account, after, limit + 1);
  const page = rows.slice(0, limit);
  return {
    repositories: await Promise.all(page.map((row) => describe(context, row))),
    next: rows.length > limit ? page.at(-1)?.name : undefined,
  };
}

/**
 * In the order of the names given.
 * @throws repository_unknown
 */
export function describeNamedRepositories(
  context: RegistryContext,
  account: string,
  names: readonly string[],
): Promise<DescribedRepository[]> {
  return Promise.all(
    [...new Set(names)].map(async (repository) =>
      describe(context, await requireRepository(context.metadata.read, { account, repository })),
    ),
  );
}

export async function describe(
  { metadata }: RegistryContext,
  { account, name, created_at }: RepositoryRow,
): Promise<DescribedRepository> {
  const settings = await findRepositorySettings(metadata.read, { account, repository: name });
  return { account, name, createdAt: created_at, ...settings };
}
