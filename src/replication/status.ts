/** What has arrived, what has not, and why: for the API, the metrics and people. */
import type { Digest } from "../image/digest.ts";
import type { Queryable } from "../metadata/metadata-store.ts";
import { selectManifestByTag } from "../metadata/queries/manifests.ts";
import {
  type ReplicationStatusRow,
  selectDestinationBacklogs,
  selectReplicationsOfManifest,
} from "../metadata/queries/replications.ts";
import { selectRepository } from "../metadata/queries/repositories.ts";
import type { RepositoryAddress } from "../registry/context.ts";
import type { Destination } from "./configuration.ts";

/** One image at one destination. Times are milliseconds since the Unix epoch. */
export interface ReplicationStatus extends Destination {
  readonly digest: string;
  /** Undefined for a push by digest. */
  readonly tag: string | undefined;
  readonly state: "pending" | "complete" | "failed";
  readonly pushedAt: number;
  readonly completedAt: number | undefined;
  /** Of the newest push; those that only waited for a place are not counted. */
  readonly attempts: number;
  readonly bytesSent: number;
  readonly bytesRemaining: number;
  /** The newest failure, also of a replication that is tried again. */
  readonly failure: ReplicationFailureStatus | undefined;
}

export interface ReplicationFailureStatus {
  readonly code: string;
  readonly side: string;
  readonly text: string;
  readonly at: number;
}

export type ImageSelector = { readonly digest: Digest } | { readonly tag: string };

/**
 * The replications of an image, one for each destination and tag; of a digest all its tags, of a tag
 * its own and no other.
 * @returns undefined when the repository, or the tag, is not there
 */
export async function imageReplications(
  db: Queryable,
  { account, repository }: RepositoryAddress,
  image: ImageSelector,
): Promise<ReplicationStatus[] | undefined> {
  const found = await selectRepository(db, account, repository);
  if (found === undefined) return undefined;
  if ("digest" in image) {
    const rows = await selectReplicationsOfManifest(db, found.id, image.digest);
    return rows.map(statusOf);
  }
  const manifest = await selectManifestByTag(db, account, repository, image.tag);
  if (manifest === undefined) return undefined;
  const rows = await selectReplicationsOfManifest(db, found.id, manifest.digest);
  return rows.filter((row) => row.tag === image.tag).map(statusOf);
}

function statusOf(row: ReplicationStatusRow): ReplicationStatus {
  return {
    region: row.destination_region,
    registryId: row.destination_account,
    digest: row.digest,
    tag: row.tag === "" ? undefined : row.tag,
    state: row.state,
    pushedAt: row.created_at,
    completedAt: row.completed_at ?? undefined,
    attempts: row.attempts,
    bytesSent: row.bytes_sent,
    bytesRemaining: row.bytes_remaining,
    failure:
      row.failure_code === null
        ? undefined
        : {
            code: row.failure_code,
            side: row.failure_side ?? "",
            text: row.failure_text ?? "",
            at: row.failed_at ?? 0,
          },
  };
}

/** ECR's view: one status for each destination, of all tags together. */
export interface DestinationStatus extends Destination {
  readonly status: "IN_PROGRESS" | "COMPLETE" | "FAILED";
  /** Of a failed replication, or of one that is being tried again. */
  readonly failureCode: string | undefined;
}

/**
 * In progress while anything is; failed when something failed for good.
 * https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageReplicationStatus.html
 */
export function statusPerDestination(
  replications: readonly ReplicationStatus[],
): DestinationStatus[] {
  const byDestination = new Map<string, ReplicationStatus[]>();
  for (const replication of replications) {
    const key = `${replication.region}/${replication.registryId}`;
    const others = byDestination.get(key);
    if (others === undefined) byDestination.set(key, [replication]);
    else others.push(replication);
  }
  return [...byDestination.values()].flatMap((rows) => {
    const worst =
      rows.find((row) => row.state === "pending") ??
      rows.find((row) => row.state === "failed") ??
      rows[0];
    if (worst === undefined) return [];
    const { region, registryId, failure } = worst;
    return [{ region, registryId, status: statusNames[worst.state], failureCode: failure?.code }];
  });
}

const statusNames = { pending: "IN_PROGRESS", complete: "COMPLETE", failed: "FAILED" } as const;

/** How far a destination is behind. */
export interface DestinationLag extends Destination {
  /** Age of the oldest image that has not arrived; 0 without backlog. */
  readonly lagMilliseconds: number;
  readonly backlogImages: number;
  /** At most so many bytes of blobs are still to be sent. */
  readonly backlogBytes: number;
  /** Images that will not arrive without an operator or a new push. */
  readonly failedImages: number;
}

/** @param destinations also listed when nothing is behind, as all of the configuration should be */
export async function destinationLags(
  db: Queryable,
  now: number,
  destinations: readonly Destination[] = [],
): Promise<DestinationLag[]> {
  const lags = new Map<string, DestinationLag>();
  for (const { region, registryId } of destinations) {
    const none = { lagMilliseconds: 0, backlogImages: 0, backlogBytes: 0, failedImages: 0 };
    lags.set(`${region}/${registryId}`, { region, registryId, ...none });
  }
  for (const row of await selectDestinationBacklogs(db)) {
    const region = row.destination_region;
    const registryId = row.destination_account;
    lags.set(`${region}/${registryId}`, {
      region,
      registryId,
      lagMilliseconds:
        row.oldest_created_at === null ? 0 : Math.max(0, now - row.oldest_created_at),
      backlogImages: row.pending,
      backlogBytes: row.bytes_remaining,
      failedImages: row.failed,
    });
  }
  return [...lags.values()];
}
