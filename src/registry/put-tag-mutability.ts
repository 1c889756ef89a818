/** Sets whether tags of a repository may be moved. It counts for later pushes. */
import type { RegistryContext, RepositoryAddress } from "./context.ts";
import { type Actor, requireRepository } from "./create-repository.ts";
import { changeDocument } from "./documents.ts";
import {
  defaultRepositorySettings,
  repositorySettingsKind,
  type TagMutabilitySettings,
} from "./repository-settings.ts";

/** @throws repository_unknown */
export function putTagMutability(
  context: RegistryContext,
  address: RepositoryAddress & Actor,
  { tagMutability, exclusionFilters }: TagMutabilitySettings,
): Promise<void> {
  const { account, repository, actor } = address;
  return context.metadata.transaction(async (tx) => {
    await requireRepository(tx, address);
    const target = { account, name: repository, owner: repository, repository, actor };
    await changeDocument(context, tx, repositorySettingsKind, target, (present) => ({
      ...(present ?? defaultRepositorySettings),
      tagMutability,
      exclusionFilters,
    }));
  });
}
