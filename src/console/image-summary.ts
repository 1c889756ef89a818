/** An image as lists show it. */
import type { DescribedImage } from "../registry/describe-images.ts";
import type { ImageSummary } from "./api-types.ts";

/** An image can have thousands of tags; its page lists more. */
export const listedTagsLimit = 10;
export const shownTagsLimit = 500;

export function imageSummary(image: DescribedImage, tagsLimit: number): ImageSummary {
  return {
    digest: image.digest,
    tags: image.tags.slice(0, tagsLimit),
    tagCount: image.tags.length,
    mediaType: image.media_type,
    ...(image.artifact_type !== null && { artifactType: image.artifact_type }),
    contentBytes: image.contentBytes,
    pushedAt: image.pushed_at,
    ...(image.pulled_at !== null && { pulledAt: image.pulled_at }),
    archived: image.storage_class === "ARCHIVE",
  };
}
