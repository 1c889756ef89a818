/**
 * How far the replication of one image is, per destination, in ECR's three states.
 * https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageReplicationStatus.html
 */
import type { Digest } from "../image/digest.ts";
import type { RegistryContext, RepositoryAddress } from "../registry/context.ts";
import { RegistryError } from "../registry/errors.ts";
import { findManifest } from "../registry/find-manifest.ts";
import type { Destination } from "./configuration.ts";
import { isRefusalCode } from "./failure.ts";
import { type ImageSelector, imageReplications } from "./status.ts";

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
  const selector = selectorOf(image);
  const { digest } = await findManifest(context, address, selector);
  if (image.digest !== undefined && image.digest !== digest) {
    throw new RegistryError("manifest_unknown", { ...address, reference: image.digest });
  }
  const replications = (await imageReplications(context.metadata.read, address, selector)) ?? [];
  const statuses = new Map<string, ImageReplicationStatus>();
  for (const { region, registryId, state, failure } of replications) {
    const name = `${region}/${registryId}`;
    const refused = state === "pending" && isRefusalCode(failure?.code);
    const status = refused ? "FAILED" : statusNames[state];
    const before = statuses.get(name);
    if (before !== undefined && severity[before.status] >= severity[status]) continue;
    statuses.set(name, {
      region,
      registryId,
      status,
      // A replication that is tried again keeps its newest failure; to ECR's clients it has none,
      // unless it can only succeed when somebody changes something.
      ...(status === "FAILED" && failure !== undefined && { failureCode: failure.code }),
    });
  }
  return { digest, statuses: [...statuses.values()] };
}

const severity = { COMPLETE: 0, IN_PROGRESS: 1, FAILED: 2 } as const;

const statusNames = { complete: "COMPLETE", pending: "IN_PROGRESS", failed: "FAILED" } as const;

function selectorOf({ digest, tag }: ImageIdentifier): ImageSelector {
  if (tag !== undefined) return { tag };
  if (digest !== undefined) return { digest };
  throw new RegistryError("parameter_invalid", {
    parameter: "imageId",
    reason: "An imageDigest or an imageTag is required",
  });
}
