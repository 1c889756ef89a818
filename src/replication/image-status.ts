/**
 * How far the replication of one image is, per destination, in ECR's three states.
 * https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageReplicationStatus.html
 */
import type { Digest } from "../image/digest.ts";
import { selectImageReplications } from "../metadata/queries/image-replications.ts";
import type { RegistryContext, RepositoryAddress } from "../registry/context.ts";
import { RegistryError } from "../registry/errors.ts";
import { findManifest } from "../registry/find-manifest.ts";
import type { Destination } from "./configuration.ts";

export interface ImageReplicationStatus extends Destination {
  readonly status: "IN_PROGRESS" | "COMPLETE" | "FAILED";
  /** Only of a failed one. */
  readonly failureCode?: string;
}

/** At least one of the two; with both, the tag must point at the digest. */
export interface ImageIdentifier {
  readonly digest?: Digest | undefined;
  readonly tag?: string | undefined;
}

export interface ImageReplication {
  readonly digest: string;
  /** Empty when no rule takes the image. */
  readonly statuses: readonly ImageReplicationStatus[];
}

/**
 * Named by its digest, an image counts as complete when it is so under every tag that it was pushed
 * under, and as failed when it is so under any.
 *
 * @throws repository_unknown, manifest_unknown, parameter_invalid
 */
export async function describeImageReplication(
  context: RegistryContext,
  address: RepositoryAddress,
  image: ImageIdentifier,
): Promise<ImageReplication> {
  const digest = await digestOf(context, address, image);
  const rows = await selectImageReplications(context.metadata.read, {
    ...address,
    digest,
    tag: image.tag,
  });
  const statuses = new Map<string, ImageReplicationStatus>();
  for (const row of rows) {
    const destination = { region: row.destination_region, registryId: row.destination_account };
    const name = `${destination.region}/${destination.registryId}`;
    const status = statusOf(row.state);
    const before = statuses.get(name);
    if (before !== undefined && severity[before.status] >= severity[status]) continue;
    statuses.set(name, {
      ...destination,
      status,
      ...(status === "FAILED" && row.failure_code !== null && { failureCode: row.failure_code }),
    });
  }
  return { digest, statuses: [...statuses.values()] };
}

const severity = { COMPLETE: 0, IN_PROGRESS: 1, FAILED: 2 } as const;

function statusOf(state: string): ImageReplicationStatus["status"] {
  if (state === "complete") return "COMPLETE";
  return state === "failed" ? "FAILED" : "IN_PROGRESS";
}

async function digestOf(
  context: RegistryContext,
  address: RepositoryAddress,
  { digest, tag }: ImageIdentifier,
): Promise<string> {
  if (tag !== undefined) {
    const found = await findManifest(context, address, { tag });
    if (digest === undefined || found.digest === digest) return found.digest;
    throw new RegistryError("manifest_unknown", { ...address, reference: tag });
  }
  if (digest === undefined) {
    throw new RegistryError("parameter_invalid", {
      parameter: "imageId",
      reason: "An imageDigest or an imageTag is required",
    });
  }
  return (await findManifest(context, address, { digest })).digest;
}
