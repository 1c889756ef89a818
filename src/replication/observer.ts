/**
 * Turns a push into replications, inside the push's own transaction: either the image is there and
 * will be replicated, or neither happened.
 */
import { selectArtifactType, selectClosureBytes } from "../metadata/queries/image-closure.ts";
import { upsertReplications } from "../metadata/queries/replications.ts";
import type { ChangeObserver } from "../registry/context.ts";
import type { Clock, Random } from "../runtime/clock.ts";
import { isReplicationActor } from "./actor.ts";
import { destinationsFor, getReplicationConfiguration } from "./configuration.ts";
import { looksAtArtifactType } from "./filters.ts";

export interface ObserverOptions {
  readonly region: string;
  readonly clock: Pick<Clock, "now">;
  readonly random: Pick<Random, "uuid">;
  /** A hint, after the commit, that something is due. */
  readonly wake: () => void;
}

export function replicationObserver(options: ObserverOptions): ChangeObserver {
  const { region, clock, random, wake } = options;
  return async (tx, change) => {
    if (change.kind !== "image_pushed") return;
    // What arrived by replication is never forwarded: that is ECR's rule, and why nothing loops.
    if (change.origin !== region || isReplicationActor(change.account, change.actor)) return;
    const { repositoryId, digest } = change;
    if (repositoryId === undefined || digest === undefined) {
      throw new Error("a push was announced without its repository or digest");
    }
    const configuration = await getReplicationConfiguration(tx, change.account);
    if (configuration.rules.length === 0) return;
    const typed = configuration.rules.some((rule) => looksAtArtifactType(rule.repositoryFilters));
    const destinations = destinationsFor(configuration, {
      repository: change.repository,
      tag: change.tag,
      artifactType: typed ? await selectArtifactType(tx, repositoryId, digest) : "",
    });
    if (destinations.length === 0) return;
    const bytes = await selectClosureBytes(tx, repositoryId, digest);
    await upsertReplications(
      tx,
      destinations.map((destination) => ({
        id: random.uuid(),
        repositoryId,
        account: change.account,
        repository: change.repository,
        digest,
        tag: change.tag ?? "",
        destinationRegion: destination.region,
        destinationAccount: destination.registryId,
        clock: change.clock ?? "",
        origin: change.origin,
        bytes,
        now: clock.now(),
      })),
    );
    tx.afterCommit(wake);
  };
}
