/** Whether a blob belongs to an image, and so is safe from the collector while the image is. */
import { selectReferringManifest } from "../metadata/queries/manifests.ts";
import type { RegistryContext } from "./context.ts";
import { requireRepository } from "./create-repository.ts";
import { type BlobAddress, statBlob } from "./find-blob.ts";

/** @throws repository_unknown, blob_unknown */
export async function isImageLayer(context: RegistryContext, blob: BlobAddress): Promise<boolean> {
  const { id } = await requireRepository(context.metadata.read, blob);
  await statBlob(context, blob);
  return (await selectReferringManifest(context.metadata.read, id, blob.digest)) !== undefined;
}
