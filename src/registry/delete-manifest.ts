/** Deletes a manifest by digest with all its tags. Each tag leaves a tombstone. */
import type { Digest } from "../image/digest.ts";
import type { Transaction } from "../metadata/metadata-store.ts";
import { deleteManifestRows } from "../metadata/queries/manifests.ts";
import { holdRepository } from "../metadata/queries/repositories.ts";
import { selectTagsOfManifest } from "../metadata/queries/tags.ts";
import { announce } from "./change.ts";
import type { RegistryContext, RepositoryAddress } from "./context.ts";
import { type Actor, requireRepository } from "./create-repository.ts";
import { buryTag } from "./delete-tag.ts";
import { RegistryError } from "./errors.ts";
import { storedManifestFacts } from "./manifest-facts.ts";

/** @throws repository_unknown, manifest_unknown */
export function deleteManifest(
  context: RegistryContext,
  input: RepositoryAddress & Actor & { digest: Digest },
): Promise<void> {
  return context.metadata.transaction(async (tx) => {
    const { id } = await requireRepository(tx, input);
    await holdRepository(tx, id);
    await removeManifest(context, tx, id, input);
  });
}

/**
 * The same in a transaction that holds the repository.
 * @param reason in the journal, when it was not a client
 * @returns the tags that went with it
 * @throws manifest_unknown
 */
export async function removeManifest(
  context: RegistryContext,
  tx: Transaction,
  repositoryId: number,
  input: RepositoryAddress & Actor & { digest: string; reason?: Record<string, unknown> },
): Promise<string[]> {
  const { account, repository, digest, actor } = input;
  const facts = await storedManifestFacts(tx, repositoryId, digest);
  if (!(await deleteManifestRows(tx, repositoryId, digest))) {
    throw new RegistryError("manifest_unknown", { repository, account, reference: digest });
  }
  const rows = await selectTagsOfManifest(tx, repositoryId, digest);
  for (const row of rows) await buryTag(context, tx, repositoryId, row);
  const tags = rows.map(({ name }) => name);
  await announce(context, tx, {
    kind: "image_deleted",
    account,
    repository,
    repositoryId,
    digest,
    clock: context.hybridClock.tick(),
    origin: context.region,
    actor,
    detail: { tags, ...facts, ...input.reason },
  });
  return tags;
}
