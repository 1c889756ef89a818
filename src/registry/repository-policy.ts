/** The policy of a repository: who may do what with it. Its text is checked before it gets here. */

import type { RegistryContext, RepositoryAddress } from "./context.ts";
import { type Actor, requireRepository } from "./create-repository.ts";
import { changeDocument, findDocument } from "./documents.ts";
import { RegistryError } from "./errors.ts";
import { repositoryPolicyKind } from "./repository-documents.ts";

/** @throws repository_unknown */
export async function setRepositoryPolicy(
  context: RegistryContext,
  address: RepositoryAddress & Actor,
  policyText: string,
): Promise<void> {
  const { account, repository, actor } = address;
  await context.metadata.transaction(async (tx) => {
    await requireRepository(tx, address);
    const target = { account, name: repository, owner: repository, repository, actor };
    await changeDocument(context, tx, repositoryPolicyKind, target, () => ({ policyText }));
  });
}

/** @throws repository_unknown, setting_unknown */
export async function findRepositoryPolicy(
  { metadata }: RegistryContext,
  address: RepositoryAddress,
): Promise<string> {
  const { account, repository } = address;
  await requireRepository(metadata.read, address);
  const found = await findDocument(metadata.read, repositoryPolicyKind, account, repository);
  if (found === undefined) throw unknown(address);
  return found.value.policyText;
}

/** @returns what it was @throws repository_unknown, setting_unknown */
export function deleteRepositoryPolicy(
  context: RegistryContext,
  address: RepositoryAddress & Actor,
): Promise<string> {
  const { account, repository, actor } = address;
  return context.metadata.transaction(async (tx) => {
    await requireRepository(tx, address);
    let policyText = "";
    const target = { account, name: repository, owner: repository, repository, actor };
    await changeDocument(context, tx, repositoryPolicyKind, target, (present) => {
      if (present === undefined) throw unknown(address);
      policyText = present.policyText;
      return undefined;
    });
    return policyText;
  });
}

function unknown({ account, repository }: RepositoryAddress): RegistryError {
  return new RegistryError("setting_unknown", {
    setting: "repository_policy",
    name: repository,
    account,
  });
}
