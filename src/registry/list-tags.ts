/** Tags of a repository and repositories of a registry, in byte order, page by page. */
import { selectRepositoryNames } from "../metadata/queries/repositories.ts";
import { selectTagNames } from "../metadata/queries/tags.ts";
import type { RegistryContext, RepositoryAddress } from "./context.ts";
import { requireRepository } from "./create-repository.ts";

export interface NamePage {
  readonly names: readonly string[];
  /** True when names follow behind the last one. */
  readonly more: boolean;
}

/** @throws repository_unknown */
export async function listTags(
  context: RegistryContext,
  address: RepositoryAddress,
  { after, limit }: { after: string; limit: number },
): Promise<NamePage> {
  const { id } = await requireRepository(context.metadata.read, address);
  return page(await selectTagNames(context.metadata.read, id, after, limit + 1), limit);
}

export async function listRepositories(
  context: RegistryContext,
  { account, after, limit }: { account: string; after: string; limit: number },
): Promise<NamePage> {
  return page(await selectRepositoryNames(context.metadata.read, account, after, limit + 1), limit);
}

function page(names: string[], limit: number): NamePage {
  return { names: names.slice(0, limit), more: limit > 0 && names.length > limit };
}
