/** What has arrived of an image and what has not, and why. */
import type { Digest } from "../image/digest.ts";
import type { Queryable } from "../metadata/metadata-store.ts";
import {
  type ImageReplicationRow,
  selectImageReplications,
} from "../metadata/queries/image-replications.ts";
import { selectManifestByTag } from "../metadata/queries/manifests.ts";
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
  /** When the first attempt since then began. */
  readonly firstAttemptAt: number | undefined;
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
 * The replications of an image, one for each destination and tag; of a digest all its tags, also
 * when the manifest is not there any more; of a tag its own and no other.
 * @returns undefined when the repository, or the tag, is not there
 */
export async function imageReplications(
  db: Queryable,
  address: RepositoryAddress,
  image: ImageSelector,
): Promise<ReplicationStatus[] | undefined> {
  const { account, repository } = address;
  if ("digest" in image) {
    if ((await selectRepository(db, account, repository)) === undefined) return undefined;
    const { digest } = image;
    const rows = await selectImageReplications(db, { ...address, digest, tag: undefined });
    return rows.map((row) => statusOf(digest, row));
  }
  const { tag } = image;
  const manifest = await selectManifestByTag(db, account, repository, tag);
  if (manifest === undefined) return undefined;
  const { digest } = manifest;
  const rows = await selectImageReplications(db, { ...address, digest, tag });
  return rows.map((row) => statusOf(digest, row));
}

function statusOf(digest: string, row: ImageReplicationRow): ReplicationStatus {
  return {
    region: row.destination_region,
    registryId: row.destination_account,
    digest,
    tag: row.tag === "" ? undefined : row.tag,
    state: row.state,
    pushedAt: row.created_at,
    firstAttemptAt: row.first_attempt_at ?? undefined,
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
