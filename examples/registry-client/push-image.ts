/** Pushes an image as every client does: blobs, then the manifests that name them, the tag last. */
import type { Content, ImageContent } from "./content.ts";
import type { ProgressListener, RegistryClient } from "./registry-client.ts";

export interface PushReport {
  readonly blobsUploaded: number;
  /** Blobs that the repository held already. */
  readonly blobsPresent: number;
  readonly bytesUploaded: number;
}

/** Uploads at once, as docker does. */
const uploadsAtOnce = 3;

export async function pushImage(
  client: RegistryClient,
  repository: string,
  tag: string,
  image: ImageContent,
  progress?: ProgressListener,
): Promise<PushReport> {
  const waiting: Content[] = [...image.blobs];
  let blobsUploaded = 0;
  let blobsPresent = 0;
  let bytesUploaded = 0;
  const uploadNext = async (): Promise<void> => {
    for (let blob = waiting.shift(); blob !== undefined; blob = waiting.shift()) {
      if ((await client.pushBlob(repository, blob, progress)) === "present") {
        blobsPresent++;
      } else {
        blobsUploaded++;
        bytesUploaded += blob.size;
      }
    }
  };
  await Promise.all(Array.from({ length: uploadsAtOnce }, uploadNext));
  for (const manifest of image.children) {
    await client.pushManifest(repository, manifest.digest, manifest);
    bytesUploaded += manifest.size;
  }
  await client.pushManifest(repository, tag, image.root);
  bytesUploaded += image.root.size;
  return { blobsUploaded, blobsPresent, bytesUploaded };
}
