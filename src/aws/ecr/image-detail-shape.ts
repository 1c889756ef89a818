/** An image as DescribeImages answers it. */
import type { ImageDetail } from "@aws-sdk/client-ecr";
import type { RepositoryAddress } from "../../registry/context.ts";
import type { DescribedImage } from "../../registry/describe-images.ts";
import { epochSeconds, type Wire } from "../operation.ts";

export function imageDetailShape(
  { account, repository }: RepositoryAddress,
  image: DescribedImage,
): Wire<ImageDetail> {
  const time = (name: string, at: number | null) => at !== null && { [name]: epochSeconds(at) };
  return {
    registryId: account,
    repositoryName: repository,
    imageDigest: image.digest,
    ...(image.tags.length > 0 && { imageTags: [...image.tags] }),
    imageSizeInBytes: image.contentBytes,
    imagePushedAt: epochSeconds(image.pushed_at),
    imageManifestMediaType: image.media_type,
    ...(image.artifact_type !== null && { artifactMediaType: image.artifact_type }),
    ...(image.subject !== null && { subjectManifestDigest: image.subject }),
    imageStatus: image.storage_class === "ARCHIVE" ? "ARCHIVED" : "ACTIVE",
    ...time("lastRecordedPullTime", image.pulled_at),
    ...time("lastArchivedAt", image.archived_at),
    ...time("lastActivatedAt", image.activated_at),
  };
}
