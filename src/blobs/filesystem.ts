/**
 * Blobs as files.
 *
 *     <root>/blobs/sha256/ab/abcdef…     complete blobs; only whole, verified files get here
 *     <root>/uploads/<upload id>         stages
 *     <root>/quarantine/sha256-abcdef…   what the scrubber found damaged
 *
 * Publishing: fsync the stage, link it to a temporary name in the blob's directory, rename that
 * over the final name (so a repeated push also mends a damaged file), fsync the directory. The
 * stage stays until it is discarded, so that publishing can be repeated.
 */
import { mkdir, readdir, rename, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import {
  type Digest,
  digestAlgorithm,
  digestAlgorithms,
  digestEncoded,
  parseDigest,
} from "../image/digest.ts";
import type { BlobStat, BlobStore } from "./blob-store.ts";
import { syncDirectory } from "./durable-directory.ts";
import { ignoreMissing, openStage } from "./filesystem-stage.ts";
import { checkUploadId, isUploadId } from "./upload-id.ts";

export async function filesystemBlobStore(options: { root: string }): Promise<BlobStore> {
  const { root } = options;
  const uploads = join(root, "uploads");
  const quarantine = join(root, "quarantine");
  for (const directory of [uploads, quarantine]) await mkdir(directory, { recursive: true });
  for (const algorithm of digestAlgorithms) {
    // All 256 directories at once, so that no push has to make one and fsync its parent.
    const parent = join(root, "blobs", algorithm);
    await mkdir(parent, { recursive: true });
    if ((await readdir(parent)).length < 256) {
      for (let i = 0; i < 256; i++) {
        await mkdir(join(parent, i.toString(16).padStart(2, "0")), { recursive: true });
      }
      await syncDirectory(parent);
    }
  }
  for (const directory of [join(root, "blobs"), root]) await syncDirectory(directory);

  const directoryOf = (digest: Digest) => {
    // Whoever calls has parsed it; but nothing else than a digest may ever become a path.
    if (parseDigest(digest) === undefined) throw new TypeError("malformed digest");
    return join(root, "blobs", digestAlgorithm(digest), digestEncoded(digest).slice(0, 2));
  };
  const pathOf = (digest: Digest) => join(directoryOf(digest), digestEncoded(digest));

  return {
    name: "filesystem",
    async stat(digest) {
      const size = await sizeOf(pathOf(digest));
      return size === undefined ? undefined : { digest, size };
    },
    async read(digest) {
      const path = pathOf(digest);
      return (await sizeOf(path)) === undefined ? undefined : Bun.file(path);
    },
    async stage(uploadId) {
      return openStage(join(uploads, checkUploadId(uploadId)), uploadId, pathOf, directoryOf);
    },
    async *stages() {
      yield* (await readdir(uploads)).filter(isUploadId);
    },
    async delete(digest) {
      await ignoreMissing(unlink(pathOf(digest)));
    },
    async quarantine(digest) {
      const kept = join(quarantine, `${digestAlgorithm(digest)}-${digestEncoded(digest)}`);
      await ignoreMissing(rename(pathOf(digest), kept));
      await syncDirectory(directoryOf(digest));
    },
    async *list(): AsyncIterable<BlobStat> {
      for (const algorithm of digestAlgorithms) {
        const parent = join(root, "blobs", algorithm);
        for (const prefix of (await readdir(parent)).sort()) {
          for (const name of await readdir(join(parent, prefix))) {
            // A file in the wrong directory is no blob, because nobody would find it there.
            const digest = name.startsWith(prefix)
              ? parseDigest(`${algorithm}:${name}`)
              : undefined;
            const size = digest && (await sizeOf(pathOf(digest)));
            if (digest !== undefined && size !== undefined) yield { digest, size };
          }
        }
      }
    },
    async close() {},
  };
}

async function sizeOf(path: string): Promise<number | undefined> {
  return (await ignoreMissing(stat(path)))?.size;
}
