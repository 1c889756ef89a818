/** Pulls everything that a tag or digest stands for into a directory, every digest verified. */
import type { Digest } from "../../src/image/digest.ts";
import { parseDigest } from "../../src/image/digest.ts";
import { parseManifest } from "../../src/image/manifest.ts";
import { isManifestType } from "../../src/image/media-type.ts";
import { type Descriptor, descriptorOf } from "./content.ts";
import { chunksOf, type ImageLayout } from "./image-layout.ts";
import type { ProgressListener, RegistryClient } from "./registry-client.ts";

export interface PullReport {
  readonly root: Descriptor;
  readonly manifests: number;
  readonly blobs: number;
  readonly bytes: number;
}

/** Nesting of indexes that is followed; real images have one level. */
const depthLimit = 4;

export async function pullImage(
  client: RegistryClient,
  repository: string,
  reference: string,
  layout: ImageLayout,
  progress?: ProgressListener,
): Promise<PullReport> {
  const sizes = new Map<Digest, number>();
  let manifests = 0;

  async function pullManifest(ofReference: string, depth: number): Promise<Descriptor> {
    if (depth > depthLimit) throw new Error(`more than ${depthLimit} indexes inside each other`);
    const manifest = await client.pullManifest(repository, ofReference);
    if (sizes.has(manifest.digest)) return manifest;
    manifests++;
    sizes.set(manifest.digest, manifest.size);
    await layout.writeBlob(manifest, chunksOf(manifest.bytes), progress);
    for (const reference of parseManifest(manifest.bytes, manifest.mediaType).references) {
      const digest = parseDigest(reference.digest);
      if (digest === undefined || !reference.required || sizes.has(digest)) continue;
      if (reference.role === "manifest" && isManifestType(reference.mediaType)) {
        await pullManifest(digest, depth + 1);
        continue;
      }
      sizes.set(digest, reference.size);
      const descriptor = { mediaType: reference.mediaType, digest, size: reference.size };
      await layout.writeBlob(descriptor, await client.openBlob(repository, digest), progress);
    }
    return manifest;
  }

  const root = await pullManifest(reference, 0);
  await layout.writeIndex(parseDigest(reference) === undefined ? reference : "latest", root);
  const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  return { root: descriptorOf(root), manifests, blobs: sizes.size - manifests, bytes };
}
