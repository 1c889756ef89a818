/**
 * Image identifiers of the operations that take many, each of which succeeds or fails for itself.
 * https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageFailure.html
 */
import type { ImageFailure, ImageIdentifier } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { type Digest, parseDigest } from "../../image/digest.ts";
import { isTag } from "../../image/reference.ts";
import { isRegistryError } from "../../registry/errors.ts";
import { optional } from "./shapes.ts";

const text = (limit: number) => optional(v.pipe(v.string(), v.maxLength(limit)));

const imageId = v.object({ imageDigest: text(300), imageTag: text(300) });

export const imageIds = v.pipe(v.array(imageId), v.minLength(1), v.maxLength(100));

export type ImageIdInput = v.InferOutput<typeof imageId>;

/** What an identifier means: the tag decides when there are both. */
export type ImageSelector = {
  readonly digest: Digest | undefined;
  readonly tag: string | undefined;
};

export function readImageId(id: ImageIdInput): ImageSelector | ImageFailure {
  const { imageDigest, imageTag } = id;
  if (imageDigest === undefined && imageTag === undefined) {
    return failure(id, "MissingDigestAndTag", "both tag and digest cannot be null");
  }
  const digest = imageDigest === undefined ? undefined : parseDigest(imageDigest);
  if (imageDigest !== undefined && digest === undefined) {
    return failure(
      id,
      "InvalidImageDigest",
      "image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'",
    );
  }
  if (imageTag !== undefined && !isTag(imageTag)) {
    return failure(
      id,
      "InvalidImageTag",
      "image tag should satisfy the regex '[a-zA-Z0-9_][a-zA-Z0-9._-]*'",
    );
  }
  return { digest, tag: imageTag };
}

export function isFailure(id: ImageSelector | ImageFailure): id is ImageFailure {
  return "failureCode" in id;
}

export function imageIdShape({
  digest,
  tag,
}: {
  digest?: string | undefined;
  tag?: string | undefined | null;
}): ImageIdentifier {
  return {
    ...(digest !== undefined && { imageDigest: digest }),
    ...(tag != null && { imageTag: tag }),
  };
}

export function notFound(id: ImageIdInput): ImageFailure {
  return {
    imageId: shapeOf(id),
    failureCode: "ImageNotFound",
    failureReason: "Requested image not found",
  };
}

export function tagElsewhere(id: ImageIdInput): ImageFailure {
  return failure(id, "ImageTagDoesNotMatchDigest", "the tag does not point at the digest");
}

/** @throws what is not the fault of this one image */
export function failureOf(id: ImageIdInput, error: unknown): ImageFailure {
  if (isRegistryError(error, "manifest_unknown")) return notFound(id);
  if (isRegistryError(error, "manifest_in_use")) {
    return {
      imageId: shapeOf(id),
      failureCode: "ImageReferencedByManifestList",
      failureReason: `Requested image referenced by manifest list: [${error.detail.index}]`,
    };
  }
  const upstream = upstreamFailures.find(([code]) => isRegistryError(error, code));
  if (upstream === undefined) throw error;
  const [, failureCode, failureReason] = upstream;
  return { imageId: shapeOf(id), failureCode, failureReason };
}

const upstreamFailures = [
  ["upstream_unavailable", "UpstreamUnavailable", "The upstream registry is not available"],
  ["upstream_denied", "UpstreamAccessDenied", "The upstream registry refused access"],
  ["upstream_rate_limited", "UpstreamTooManyRequests", "The upstream registry limits requests"],
] as const;

function failure(
  id: ImageIdInput,
  failureCode: NonNullable<ImageFailure["failureCode"]>,
  reason: string,
): ImageFailure {
  return {
    imageId: shapeOf(id),
    failureCode,
    failureReason: `Invalid request parameters: ${reason}`,
  };
}

function shapeOf({ imageDigest, imageTag }: ImageIdInput): ImageIdentifier {
  return imageIdShape({ digest: imageDigest, tag: imageTag });
}
