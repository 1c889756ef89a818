/** Points a tag at a manifest, with a version that is newer than all it had. */
import type { Transaction } from "../metadata/metadata-store.ts";
import {
  deleteTombstone,
  selectTagForUpdate,
  selectTombstone,
  upsertTag,
} from "../metadata/queries/tags.ts";
import type { RegistryContext } from "./context.ts";
import type { HybridTimestamp } from "./hybrid-clock.ts";

/**
 * @returns the clock of the tag's new version, or undefined when the tag pointed there already
 */
export async function setTag(
  context: RegistryContext,
  tx: Transaction,
  repositoryId: number,
  name: string,
  digest: string,
): Promise<HybridTimestamp | undefined> {
  const current = await selectTagForUpdate(tx, repositoryId, name);
  if (current?.digest === digest) return undefined;
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
