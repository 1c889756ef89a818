/**
 * Resource tags of repositories: keys and values for people, for bills and for policies.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-using-tags.html
 */

import type { Transaction } from "../metadata/metadata-store.ts";
import type { RegistryContext, RepositoryAddress } from "./context.ts";
import { type Actor, requireRepository } from "./create-repository.ts";
import { changeDocument, findDocument } from "./documents.ts";
import { RegistryError } from "./errors.ts";
import { repositoryTagsKind } from "./repository-documents.ts";

export type ResourceTags = Readonly<Record<string, string>>;

const tagsLimit = 50;
const keyLengthLimit = 128;
const valueLengthLimit = 256;
/** Letters, digits and space of any script, and these signs. */
const allowed = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/**
 * @param tags as they came, perhaps with a key twice
 * @throws resource_tags_too_many, resource_tag_invalid
 */
export function checkResourceTags(
  tags: readonly { readonly key: string; readonly value: string }[],
): ResourceTags {
  const result = new Map<string, string>();
  for (const { key, value } of tags) {
    if (key.length === 0 || key.length > keyLengthLimit || !allowed.test(key)) {
      throw invalid(`The tag key must have 1 to ${keyLengthLimit} allowed characters`);
    }
    if (value.length > valueLengthLimit || !allowed.test(value)) {
      throw invalid(`The tag value must have at most ${valueLengthLimit} allowed characters`);
    }
    if (/^aws:/i.test(key)) throw invalid("Tag keys that begin with 'aws:' are reserved");
    if (result.has(key)) throw invalid("A tag key may be given once only");
    result.set(key, value);
  }
  if (result.size > tagsLimit)
    throw new RegistryError("resource_tags_too_many", { limit: tagsLimit });
  return Object.fromEntries(result);
}

function invalid(reason: string): RegistryError {
  return new RegistryError("resource_tag_invalid", { reason });
}

/** @throws repository_unknown */
export async function findResourceTags(
  { metadata }: RegistryContext,
  address: RepositoryAddress,
): Promise<ResourceTags> {
  const { account, repository } = address;
  await requireRepository(metadata.read, address);
  return (await findDocument(metadata.read, repositoryTagsKind, account, repository))?.value ?? {};
}

/** @throws repository_unknown, resource_tags_too_many */
export function addResourceTags(
  context: RegistryContext,
  address: RepositoryAddress & Actor,
  tags: ResourceTags,
): Promise<void> {
  return context.metadata.transaction(async (tx) => {
    await requireRepository(tx, address);
    await changeResourceTags(context, tx, address, (present) => ({ ...present, ...tags }));
  });
}

/** Keys that are not there are passed over. @throws repository_unknown */
export function removeResourceTags(
  context: RegistryContext,
  address: RepositoryAddress & Actor,
  keys: readonly string[],
): Promise<void> {
  return context.metadata.transaction(async (tx) => {
    await requireRepository(tx, address);
    await changeResourceTags(context, tx, address, (present) =>
      Object.fromEntries(Object.entries(present).filter(([key]) => !keys.includes(key))),
    );
  });
}

/** @throws resource_tags_too_many */
export async function changeResourceTags(
  context: RegistryContext,
  tx: Transaction,
  { account, repository, actor }: RepositoryAddress & Actor,
  change: (present: ResourceTags) => ResourceTags,
): Promise<void> {
  const target = { account, name: repository, owner: repository, repository, actor };
  await changeDocument(context, tx, repositoryTagsKind, target, (present) => {
    const tags = change(present ?? {});
    const count = Object.keys(tags).length;
    if (count > tagsLimit) throw new RegistryError("resource_tags_too_many", { limit: tagsLimit });
    return count === 0 ? undefined : tags;
  });
}
