/**
 * The journal: facts about this region's state, written in the transaction of the state itself.
 * Events, replication, audit, lag and repair read it.
 */

import type { Transaction } from "../metadata/metadata-store.ts";
import { insertChange } from "../metadata/queries/changes.ts";
import type { RegistryContext } from "./context.ts";
import type { HybridTimestamp } from "./hybrid-clock.ts";

export type ChangeKind =
  | "repository_created"
  /** With its images and settings. */
  | "repository_deleted"
  /** A manifest was pushed, or a tag set; `tag` is absent for a push by digest. */
  | "image_pushed"
  | "tag_deleted"
  /** A manifest was deleted with all its tags. */
  | "image_deleted"
  /** An image was archived or restored; `detail` says which. */
  | "image_storage_class_set"
  /** What a lifecycle policy did with a repository; each image has a change of its own besides. */
  | "lifecycle_policy_executed"
  | "blob_deleted"
  /** `detail` has the kind and the name of the document; its value may be secret. */
  | "document_set"
  | "document_deleted"
  | "replication_configuration_set"
  /** A destination was paused or resumed; `detail` has the region. */
  | "replication_destination_set"
  /** An image of an upstream was brought in or has changed there; `detail` names the upstream. */
  | "pull_through_cache_synchronized";

export interface Change {
  readonly kind: ChangeKind;
  readonly account: string;
  /** Empty for a change of the registry itself. */
  readonly repository: string;
  readonly repositoryId?: number;
  readonly digest?: string;
  readonly tag?: string;
  /** The version of the tag that this change made. */
  readonly clock?: HybridTimestamp;
  /** The region in which a client made the change. */
  readonly origin: string;
  /** ARN of the principal that made it. */
  readonly actor: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}

/**
 * Call it last in a transaction: the journal's counter is held until the commit.
 * @returns the change's number in the journal
 */
export async function announce(
  context: RegistryContext,
  tx: Transaction,
  change: Change,
): Promise<number> {
  for (const observer of context.observers) await observer(tx, change);
  return insertChange(tx, {
    at: context.clock.now(),
    kind: change.kind,
    account: change.account,
    repository: change.repository,
    digest: change.digest ?? null,
    tag: change.tag ?? null,
    clock: change.clock ?? null,
    origin: change.origin,
    actor: change.actor,
    detail: change.detail === undefined ? null : JSON.stringify(change.detail),
  });
}
