/** How images are called in short. */
import type { ImageSummary } from "../../../../src/console/api-types.ts";

/** `sha256:0123456789ab` */
export function shortDigest(digest: string): string {
  const [algorithm = "", hash = ""] = digest.split(":");
  return `${algorithm}:${hash.slice(0, 12)}`;
}

export function imageKind(
  image: Pick<ImageSummary, "mediaType" | "artifactType">,
): "index" | "image" | "artifact" {
  if (/index|manifest\.list/.test(image.mediaType)) return "index";
  const type = image.artifactType;
  const isImage = type === undefined || /vnd\.(?:oci\.image|docker\.container\.image)/.test(type);
  return isImage ? "image" : "artifact";
}
