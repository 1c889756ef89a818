/**
 * Deletes a repository with its settings, and with its images when that is asked for. The bytes are
 * the collector's. It is not propagated: a copy in another region is a repository of its own.
 */

import {
  deleteRepositoryRows,
  hasManifests,
  holdRepository,
  type RepositoryRow,
} from "../metadata/queries/repositories.ts";
import { announce } from "./change.ts";
import type { RegistryContext, RepositoryAddress } from "./context.ts";
import { type Actor, requireRepository } from "./create-repository.ts";
import { changeDocument, type DocumentKind } from "./documents.ts";
import { RegistryError } from "./errors.ts";
import { lifecyclePreviewKind } from "./lifecycle-policies.ts";
import { lifecyclePolicyKind } from "./lifecycle-policy-document.ts";
import { repositoryPolicyKind, repositoryTagsKind } from "./repository-documents.ts";
import { repositorySettingsKind } from "./repository-settings.ts";

/** Everything that belongs to a repository under its name. */
const kinds: readonly DocumentKind<unknown>[] = [
  repositorySettingsKind,
  repositoryPolicyKind,
  repositoryTagsKind,
  lifecyclePolicyKind,
  lifecyclePreviewKind,
];

/** @throws repository_unknown, repository_not_empty */
export function deleteRepository(
  context: RegistryContext,
  input: RepositoryAddress & Actor & { readonly force: boolean },
): Promise<RepositoryRow> {
  const { account, repository, actor } = input;
  return context.metadata.transaction(async (tx) => {
    const row = await requireRepository(tx, input);
    await holdRepository(tx, row.id);
    if (!input.force && (await hasManifests(tx, row.id))) {
      throw new RegistryError("repository_not_empty", { repository, account });
    }
    await deleteRepositoryRows(tx, row.id);
    for (const kind of kinds) {
      const target = { account, name: repository, repository, actor };
      await changeDocument(context, tx, kind, target, () => undefined);
    }
    await announce(context, tx, {
      kind: "repository_deleted",
      account,
      repository,
      repositoryId: row.id,
      origin: context.region,
      actor,
      detail: { force: input.force },
    });
    return row;
  });
}
