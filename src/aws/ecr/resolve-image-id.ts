/** The image that an identifier means, for operations on one image. */
import type { Digest } from "../../image/digest.ts";
import type { RegistryContext, RepositoryAddress } from "../../registry/context.ts";
import { findManifest } from "../../registry/find-manifest.ts";
import { AwsError } from "../errors.ts";
import { invalidParameter } from "./errors.ts";

/**
 * @returns its digest
 * @throws repository_unknown, manifest_unknown, and AwsError when neither or both do not fit
 */
export async function resolveImageId(
  context: RegistryContext,
  address: RepositoryAddress,
  { imageDigest, imageTag }: { imageDigest: Digest | undefined; imageTag: string | undefined },
): Promise<string> {
  if (imageTag === undefined && imageDigest === undefined) {
    throw invalidParameter("imageId", "An imageDigest or an imageTag is required");
  }
  const reference =
    imageTag !== undefined
      ? { tag: imageTag }
      : imageDigest !== undefined && { digest: imageDigest };
  if (reference === false) throw invalidParameter("imageId", "An imageDigest is required");
  const { digest } = await findManifest(context, address, reference);
  if (imageDigest !== undefined && imageDigest !== digest) {
    const { account, repository } = address;
    throw new AwsError(
      "ImageNotFoundException",
      `The image with imageId {imageDigest:'${imageDigest}', imageTag:'${imageTag}'} does not exist within the repository with name '${repository}' in the registry with id '${account}'`,
    );
  }
  return digest;
}
