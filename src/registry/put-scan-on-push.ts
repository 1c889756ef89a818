/** Sets whether pushes to a repository are to be scanned, for when a scanner is configured. */
import type { RegistryContext, RepositoryAddress } from "./context.ts";
import { type Actor, requireRepository } from "./create-repository.ts";
import { changeDocument } from "./documents.ts";
import { defaultRepositorySettings, repositorySettingsKind } from "./repository-settings.ts";

/** @throws repository_unknown */
export function putScanOnPush(
  context: RegistryContext,
  address: RepositoryAddress & Actor,
  scanOnPush: boolean,
): Promise<void> {
  const { account, repository, actor } = address;
  return context.metadata.transaction(async (tx) => {
    await requireRepository(tx, address);
    const target = { account, name: repository, owner: repository, repository, actor };
    await changeDocument(context, tx, repositorySettingsKind, target, (present) => ({
      ...(present ?? defaultRepositorySettings),
      scanOnPush,
    }));
  });
}
