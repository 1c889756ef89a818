/** Points a tag at a manifest, with a version that is newer than all it had. */
import type { Transaction } from "../metadata/metadata-store.ts";
import {
  deleteTombstone,
  selectTagForUpdate,
  selectTombstone,
  upsertTag,
} from "../metadata/queries/tags.ts";
import type { RegistryContext, RepositoryAddress } from "./context.ts";
import type { HybridTimestamp } from "./hybrid-clock.ts";
import { requireMovableTag } from "./tag-mutability.ts";

/**
 * @throws tag_immutable when the tag would move and the repository's settings forbid it
 * @returns the clock of the tag's new version, or undefined when the tag pointed there already
 */
export async function setTag(
  context: RegistryContext,
  tx: Transaction,
  repository: RepositoryAddress & { readonly id: number },
  name: string,
  digest: string,
): Promise<HybridTimestamp | undefined> {
  const { id: repositoryId } = repository;
  const current = await selectTagForUpdate(tx, repositoryId, name);
  if (current?.digest === digest) return undefined;
  if (current !== undefined) await requireMovableTag(tx, repository, name);
  const tombstone =
    current === undefined ? await selectTombstone(tx, repositoryId, name) : undefined;
  const clock = context.hybridClock.tick((current ?? tombstone)?.clock);
  await upsertTag(tx, repositoryId, {
    name,
    digest,
    clock,
    origin: context.region,
    now: context.clock.now(),
  });
  if (tombstone !== undefined) await deleteTombstone(tx, repositoryId, name);
  return clock;
}
