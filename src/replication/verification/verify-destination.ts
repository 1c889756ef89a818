/**
 * Compares what the rules send to a destination with what is there, without trusting any status:
 * both sides calculate a digest tree over their own tags and manifests, and only where the digests
 * differ is anything more said.
 */
import type { RegistryContext } from "../../registry/context.ts";
import { type Destination, getReplicationConfiguration } from "../configuration.ts";
import { ReplicationFailure } from "../failure.ts";
import type { Peer } from "../peer.ts";
import { verifyBlobs } from "./blobs.ts";
import { type Ask, compareTrees } from "./compare.ts";
import { expectedImages } from "./expected-images.ts";
import { type Difference, type DifferenceKind, differenceKinds, judge } from "./judge.ts";
import type { RegistryLeaves } from "./registry-leaves.ts";
import { repairDifferences } from "./repair.ts";

export interface VerificationReport {
  readonly account: string;
  readonly destination: Destination;
  readonly startedAt: number;
  readonly milliseconds: number;
  /** Bytes of questions and answers, without the headers of HTTP. */
  readonly wireBytes: number;
  readonly roundTrips: number;
  readonly repositories: number;
  readonly tags: number;
  readonly manifests: number;
  /** Tags and manifests that differ because they are still to be sent. */
  readonly onTheWay: number;
  /** By kind; what is not wrong is counted too. */
  readonly counts: Readonly<Record<DifferenceKind, number>>;
  /** How many are wrong: 0 proves that everything the rules send is there, but what is on the way. */
  readonly wrong: number;
  readonly differences: readonly Difference[];
  /** There are more than are listed. */
  readonly truncated: boolean;
  /** Of the deep form. */
  readonly deep?: { readonly blobs: number; readonly blobsBytes: number };
  /** Replications that the repair has made due. */
  readonly repaired?: number;
}

export interface VerifyOptions {
  readonly account: string;
  readonly destination: Destination;
  readonly repositoryPrefix?: string;
  readonly deep?: boolean;
  readonly repair?: boolean;
  readonly signal: AbortSignal;
  readonly onProgress?: (text: string) => void;
}

export interface VerifyPorts {
  readonly context: RegistryContext;
  readonly leaves: RegistryLeaves;
  readonly peer: Peer;
}

/** More are counted as truncated: so much has to be looked at by a person. */
const suspectsLimit = 10_000;

/** @throws ReplicationFailure when the destination does not answer, or cannot compare */
export async function verifyDestination(
  { context, leaves, peer }: VerifyPorts,
  options: VerifyOptions,
): Promise<VerificationReport> {
  const { account, destination, repositoryPrefix = "", signal, onProgress } = options;
  const { metadata, clock, region } = context;
  const startedAt = clock.now();
  const wire = { bytes: 0, roundTrips: 0 };
  const ask = measuredAsk(peer, destination, signal, wire);
  const configuration = await getReplicationConfiguration(metadata.read, account);
  onProgress?.("reading what should be there");
  const expected = await expectedImages(metadata.read, leaves, configuration, {
    account,
    region,
    destination,
    repositoryPrefix,
  });
  onProgress?.("comparing");
  const comparison = await compareTrees({
    account: destination.registryId,
    expected,
    // In the region itself the other account's own images are not to be told from replicas.
    named: repositoryPrefix !== "" || destination.region === region,
    suspectsLimit,
    ask,
    signal,
  });
  onProgress?.(`looking at ${comparison.suspects.length} that differ`);
  const judged = await judge(
    { db: metadata.read, region, account, destination, ask, signal },
    comparison.suspects,
  );
  const differences: Difference[] = judged.differences.filter(
    ({ kind }) => kind !== "extra" || destination.region !== region,
  );
  const missing = new Set(differences.map(({ repository, digest }) => `${repository} ${digest}`));
  const deep = options.deep
    ? await verifyBlobs({
        db: metadata.read,
        account: destination.registryId,
        expected,
        missing,
        ask,
        signal,
        onProgress: (blobs) => onProgress?.(`${blobs} blobs read`),
      })
    : undefined;
  differences.push(...(deep?.differences ?? []));
  const repaired = options.repair
    ? await repairDifferences(context, account, destination, differences)
    : undefined;
  const repositories = [...expected.repositories.values()];
  const counts = countByKind(differences);
  return {
    account,
    destination,
    startedAt,
    milliseconds: clock.now() - startedAt,
    wireBytes: wire.bytes,
    roundTrips: wire.roundTrips,
    repositories: repositories.length,
    tags: repositories.reduce((sum, { tags }) => sum + tags.count, 0),
    manifests: repositories.reduce((sum, { manifests }) => sum + manifests.count, 0),
    onTheWay: judged.onTheWay,
    counts,
    wrong: differences.filter(({ kind }) => differenceKinds[kind].wrong).length,
    differences,
    truncated: comparison.truncated,
    ...(deep && { deep: { blobs: deep.blobs, blobsBytes: deep.blobsBytes } }),
    ...(repaired !== undefined && { repaired }),
  };
}

function countByKind(differences: readonly Difference[]): Record<DifferenceKind, number> {
  const counts: Record<DifferenceKind, number> = {
    missing: 0,
    older: 0,
    different: 0,
    blob_missing: 0,
    blob_damaged: 0,
    newer: 0,
    extra: 0,
  };
  for (const { kind } of differences) counts[kind] += 1;
  return counts;
}

function measuredAsk(
  peer: Peer,
  { region }: Destination,
  signal: AbortSignal,
  wire: { bytes: number; roundTrips: number },
): Ask {
  return async (question) => {
    if (peer.verify === undefined) {
      throw new ReplicationFailure(
        "protocol_unsupported",
        `${region} is no region of Portolan and has no digest tree to compare with`,
      );
    }
    const { answer, bytes } = await peer.verify(question, signal);
    wire.bytes += bytes;
    wire.roundTrips += 1;
    return answer;
  };
}
