/**
 * An image in a directory that skopeo, podman and others read as `oci:DIRECTORY:TAG`.
 * https://github.com/opencontainers/image-spec/blob/main/image-layout.md
 */
import { mkdir, open, rename } from "node:fs/promises";
import { join } from "node:path";
import {
  createHasher,
  type Digest,
  digestAlgorithm,
  digestEncoded,
} from "../../src/image/digest.ts";
import { mediaTypes } from "../../src/image/media-type.ts";
import { type Descriptor, descriptorOf, type ImageContent } from "./content.ts";
import { DigestMismatchError, type ProgressListener } from "./registry-client.ts";

export interface ImageLayout {
  readonly directory: string;
  blobPath(digest: Digest): string;
  /**
   * Keeps the content only when it has this digest and size.
   * @throws DigestMismatchError
   */
  writeBlob(
    descriptor: Descriptor,
    chunks: AsyncIterable<Uint8Array>,
    progress?: ProgressListener,
  ): Promise<void>;
  /** Names the root, which ends the image. */
  writeIndex(tag: string, root: Descriptor): Promise<void>;
}

export function imageLayout(directory: string): ImageLayout {
  const blobPath = (digest: Digest) =>
    join(directory, "blobs", digestAlgorithm(digest), digestEncoded(digest));
  return {
    directory,
    blobPath,

    async writeBlob({ digest, size }, chunks, progress) {
      const algorithm = digestAlgorithm(digest);
      await mkdir(join(directory, "blobs", algorithm), { recursive: true });
      const path = blobPath(digest);
      const hasher = createHasher(algorithm);
      let written = 0;
      const file = await open(`${path}.part`, "w");
      try {
        for await (const chunk of chunks) {
          written += chunk.length;
          if (written > size) break;
          hasher.update(chunk);
          await file.writeFile(chunk);
          progress?.(chunk.length);
        }
      } finally {
        await file.close();
      }
      const actual = hasher.digest();
      if (written !== size || actual !== digest) {
        throw new DigestMismatchError(
          `${digest} of ${size} bytes came as ${actual} of ${written} bytes`,
        );
      }
      await rename(`${path}.part`, path);
    },

    async writeIndex(tag, root) {
      const annotations = { "org.opencontainers.image.ref.name": tag };
      const index = {
        schemaVersion: 2,
        mediaType: mediaTypes.ociIndex,
        manifests: [{ ...descriptorOf(root), annotations }],
      };
      await mkdir(directory, { recursive: true });
      await Bun.write(join(directory, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
      await Bun.write(join(directory, "index.json"), JSON.stringify(index, null, 2));
    },
  };
}

export async function writeImage(
  layout: ImageLayout,
  tag: string,
  image: ImageContent,
): Promise<void> {
  for (const one of [...image.blobs, ...image.children, image.root]) {
    await layout.writeBlob(one, chunksOf(one.bytes));
  }
  await layout.writeIndex(tag, image.root);
}

export async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
