/**
 * Repairs by ordinary replication rows, from what the source has now: the destination decides about
 * their versions as about any other, so that nothing newer is overwritten.
 */
import { selectClosureBytes } from "../../metadata/queries/image-closure.ts";
import { type NewReplication, upsertReplications } from "../../metadata/queries/replications.ts";
import { holdRepository, selectRepository } from "../../metadata/queries/repositories.ts";
import { selectTagForUpdate } from "../../metadata/queries/tags.ts";
import { selectPresentManifests } from "../../metadata/queries/verification.ts";
import type { RegistryContext } from "../../registry/context.ts";
import type { Destination } from "../configuration.ts";
import { type Difference, differenceKinds } from "./judge.ts";

const rowsAtOnce = 100;

/** @returns how many replications are due now */
export async function repairDifferences(
  context: RegistryContext,
  account: string,
  destination: Destination,
  differences: readonly Difference[],
): Promise<number> {
  const images = new Map<string, Difference>();
  const wrong = differences.filter(({ kind }) => differenceKinds[kind].wrong);
  const tagged = new Set(
    wrong.flatMap(({ repository, tag, digest }) =>
      tag === undefined ? [] : [`${repository} ${digest}`],
    ),
  );
  for (const difference of wrong) {
    const { repository, tag, digest } = difference;
    // It comes with its tag.
    if (tag === undefined && tagged.has(`${repository} ${digest}`)) continue;
    images.set(`${repository} ${digest} ${tag ?? ""}`, difference);
  }
  let repaired = 0;
  for (const [repository, group] of Map.groupBy(images.values(), (image) => image.repository)) {
    for (let i = 0; i < group.length; i += rowsAtOnce) {
      const part = group.slice(i, i + rowsAtOnce);
      repaired += await repairPart(context, account, repository, destination, part);
    }
  }
  return repaired;
}

function repairPart(
  context: RegistryContext,
  account: string,
  repository: string,
  destination: Destination,
  images: readonly Difference[],
): Promise<number> {
  const { metadata, clock, random, region } = context;
  return metadata.transaction(async (tx) => {
    const row = await selectRepository(tx, account, repository);
    if (row === undefined || !(await holdRepository(tx, row.id))) return 0;
    const replications: NewReplication[] = [];
    for (const { tag, digest } of images) {
      const [manifest] = await selectPresentManifests(tx, row.id, [digest]);
      const current = tag === undefined ? undefined : await selectTagForUpdate(tx, row.id, tag);
      // What has changed since has a replication of its own.
      if (manifest?.sendable !== 1) continue;
      if (tag !== undefined && (current?.digest !== digest || current.origin !== region)) continue;
      replications.push({
        id: random.uuid(),
        repositoryId: row.id,
        account,
        repository,
        digest,
        tag: tag ?? "",
        destinationRegion: destination.region,
        destinationAccount: destination.registryId,
        clock: current?.clock ?? "",
        origin: current?.origin ?? region,
        bytes: await selectClosureBytes(tx, row.id, digest),
        now: clock.now(),
      });
    }
    if (replications.length > 0) await upsertReplications(tx, replications);
    return replications.length;
  });
}
