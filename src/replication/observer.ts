/**
 * Turns changes into replications, inside their own transaction: either the image is there and will
 * be replicated, or neither happened. A push is one, and so is the restore of an archived image. And
 * a new policy of an account here makes due what the account has refused.
 */

import type { Transaction } from "../metadata/metadata-store.ts";
import { selectArtifactType, selectClosureBytes } from "../metadata/queries/image-closure.ts";
import { hastenRefused } from "../metadata/queries/refused-replications.ts";
import { selectOwnTags } from "../metadata/queries/replication-tags.ts";
import { type NewReplication, upsertReplications } from "../metadata/queries/replications.ts";
import type { Change } from "../registry/change.ts";
import type { ChangeObserver } from "../registry/context.ts";
import { accountSettingKind, registryPolicyKind } from "../registry/policy-kinds.ts";
import type { Clock, Random } from "../runtime/clock.ts";
import { isReplicationActor } from "./actor.ts";
import {
  destinationsFor,
  getReplicationConfiguration,
  type ReplicationConfiguration,
} from "./configuration.ts";
import { refusalCodes } from "./failure.ts";
import { looksAtArtifactType } from "./filters.ts";

export interface ObserverOptions {
  readonly region: string;
  readonly clock: Pick<Clock, "now">;
  readonly random: Pick<Random, "uuid">;
  /** A hint, after the commit, that something is due. */
  readonly wake: () => void;
}

/** A change of an image of a repository that exists. */
type ImageChange = Change & { readonly repositoryId: number; readonly digest: string };

/** How an image is named at its destination: its tag with its version; empty for none. */
interface Name {
  readonly tag: string;
  readonly clock: string;
}

const consentKinds: ReadonlySet<unknown> = new Set([
  registryPolicyKind.kind,
  accountSettingKind.kind,
]);

export function replicationObserver(options: ObserverOptions): ChangeObserver {
  const { region, clock, wake } = options;
  return async (tx, change) => {
    if (isConsentChange(change)) {
      const destination = { region, account: change.account, now: clock.now() };
      await hastenRefused(tx, { ...destination, codes: refusalCodes });
      tx.afterCommit(wake);
      return;
    }
    // What arrived by replication is never forwarded: that is ECR's rule, and why nothing loops.
    if (change.origin !== region || isReplicationActor(change.account, change.actor)) return;
    const isPush = change.kind === "image_pushed";
    if (!isPush && !isRestore(change)) return;
    const { repositoryId, digest } = change;
    if (repositoryId === undefined || digest === undefined) {
      throw new Error("an image has changed without its repository or digest");
    }
    const configuration = await getReplicationConfiguration(tx, change.account);
    if (configuration.rules.length === 0) return;
    const names = isPush
      ? [{ tag: change.tag ?? "", clock: change.clock ?? "" }]
      : await selectOwnTags(tx, { repositoryId, digest, origin: region });
    const image = { ...change, repositoryId, digest };
    if (await replicate(options, tx, configuration, image, names)) tx.afterCommit(wake);
  };
}

function isConsentChange({ kind, detail }: Change): boolean {
  const isDocument = kind === "document_set" || kind === "document_deleted";
  return isDocument && consentKinds.has(detail?.kind);
}

function isRestore({ kind, detail }: Change): boolean {
  return kind === "image_storage_class_set" && detail?.storageClass === "STANDARD";
}

async function replicate(
  { clock, random }: ObserverOptions,
  tx: Transaction,
  configuration: ReplicationConfiguration,
  { account, repository, repositoryId, digest, origin }: ImageChange,
  names: readonly Name[],
): Promise<boolean> {
  const typed = configuration.rules.some((rule) => looksAtArtifactType(rule.repositoryFilters));
  const artifactType = typed ? await selectArtifactType(tx, repositoryId, digest) : "";
  let bytes: number | undefined;
  for (const { tag, clock: version } of names) {
    const filtered = { repository, tag: tag === "" ? undefined : tag, artifactType };
    const destinations = destinationsFor(configuration, filtered);
    if (destinations.length === 0) continue;
    bytes ??= await selectClosureBytes(tx, repositoryId, digest);
    const rows = destinations.map(
      (destination): NewReplication => ({
        id: random.uuid(),
        repositoryId,
        account,
        repository,
        digest,
        tag,
        destinationRegion: destination.region,
        destinationAccount: destination.registryId,
        clock: version,
        origin,
        bytes: bytes ?? 0,
        now: clock.now(),
      }),
    );
    await upsertReplications(tx, rows);
  }
  return bytes !== undefined;
}
