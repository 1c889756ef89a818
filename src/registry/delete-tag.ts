/** Deletes a tag; the manifest stays. */
import type { Transaction } from "../metadata/metadata-store.ts";
import { holdRepository } from "../metadata/queries/repositories.ts";
import {
  deleteTagRow,
  selectTagForUpdate,
  type TagRow,
  upsertTombstone,
} from "../metadata/queries/tags.ts";
import { announce } from "./change.ts";
import type { RegistryContext, RepositoryAddress } from "./context.ts";
import { type Actor, requireRepository } from "./create-repository.ts";
import { RegistryError } from "./errors.ts";
import type { HybridTimestamp } from "./hybrid-clock.ts";
import { storedManifestFacts } from "./manifest-facts.ts";

/** @throws repository_unknown, manifest_unknown */
export function deleteTag(
  context: RegistryContext,
  input: RepositoryAddress & Actor & { tag: string },
): Promise<void> {
  const { account, repository, tag, actor } = input;
  return context.metadata.transaction(async (tx) => {
    const { id } = await requireRepository(tx, input);
    await holdRepository(tx, id);
    const row = await selectTagForUpdate(tx, id, tag);
    if (row === undefined) {
      throw new RegistryError("manifest_unknown", { repository, account, reference: tag });
    }
    const clock = await buryTag(context, tx, id, row);
    await announce(context, tx, {
      kind: "tag_deleted",
      account,
      repository,
      repositoryId: id,
      digest: row.digest,
      tag,
      clock,
      origin: context.region,
      actor,
      detail: await storedManifestFacts(tx, id, row.digest),
    });
  });
}

/** Replaces a tag by its tombstone, whose version is newer than the tag's. */
export async function buryTag(
  context: RegistryContext,
  tx: Transaction,
  repositoryId: number,
  tag: TagRow,
): Promise<HybridTimestamp> {
  const clock = context.hybridClock.tick(tag.clock);
  await deleteTagRow(tx, repositoryId, tag.name);
  await upsertTombstone(tx, repositoryId, {
    name: tag.name,
    digest: tag.digest,
    clock,
    origin: context.region,
    now: context.clock.now(),
  });
  return clock;
}
