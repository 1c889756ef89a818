/**
 * Blobs as files.
 *
 *     <root>/blobs/sha256/ab/abcdef…          complete blobs; only whole, verified files get here
 *     <root>/uploads/<upload id>              stages
 *     <root>/withdrawn/sha256-abcdef….<id>    taken out of reach, to be destroyed or put back
 *     <root>/quarantine/sha256-abcdef…        what the scrubber found damaged
 *
 * Publishing: fsync the stage, link it to a temporary name in the blob's directory, rename that
 * over the final name (so a repeated push also mends a damaged file), fsync the directory. The
 * stage stays until it is discarded, so that publishing can be repeated.
 */
import { link, readdir, rename, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import {
  type Digest,
  digestAlgorithm,
  digestAlgorithms,
  digestEncoded,
  parseDigest,
} from "../image/digest.ts";
import type { BlobStat, BlobStore, WithdrawnBlob } from "./blob-store.ts";
import { makeDurableDirectories, syncDirectory } from "./durable-directory.ts";
import { ignoreMissing, openStage } from "./filesystem-stage.ts";
import { checkUploadId, isUploadId } from "./upload-id.ts";

export async function filesystemBlobStore(options: { root: string }): Promise<BlobStore> {
  const { root } = options;
  const uploads = join(root, "uploads");
  const withdrawals = join(root, "withdrawn");
  const quarantine = join(root, "quarantine");
  const parents = digestAlgorithms.map((algorithm) => join(root, "blobs", algorithm));
  await makeDurableDirectories([uploads, withdrawals, quarantine, ...parents]);
  for (const parent of parents) {
    if ((await readdir(parent)).length >= 256) continue;
    // All of them now, so that no push has to make one and fsync its parent.
    await makeDurableDirectories(prefixes().map((prefix) => join(parent, prefix)));
  }
  // Also when nothing was made: whoever made it may have died before its sync.
  for (const directory of [...parents, join(root, "blobs"), root]) await syncDirectory(directory);

  const directoryOf = (digest: Digest) => {
    // Whoever calls has parsed it; but nothing else than a digest may ever become a path.
    if (parseDigest(digest) === undefined) throw new TypeError("malformed digest");
    return join(root, "blobs", digestAlgorithm(digest), digestEncoded(digest).slice(0, 2));
  };
  const pathOf = (digest: Digest) => join(directoryOf(digest), digestEncoded(digest));
  const stageOf = (uploadId: string) => join(uploads, checkUploadId(uploadId));

  async function statOf(digest: Digest): Promise<BlobStat | undefined> {
    const found = await ignoreMissing(stat(pathOf(digest), { bigint: true }));
    if (found === undefined) return undefined;
    // Every publishing brings a file of its own. Its number may be used again once it is gone, but
    // not together with the time of its last write.
    return { digest, size: Number(found.size), revision: `${found.ino}.${found.mtimeNs}` };
  }

  function withdrawnAt(path: string, digest: Digest, id: string, size: number): WithdrawnBlob {
    return {
      digest,
      size,
      id,
      async read() {
        return Bun.file(path);
      },
      async restore() {
        try {
          // Never over what was published since.
          await link(path, pathOf(digest));
        } catch (error) {
          const { code } = error as NodeJS.ErrnoException;
          if (code === "ENOENT") return;
          if (code !== "EEXIST") throw error;
        }
        await syncDirectory(directoryOf(digest));
        await ignoreMissing(unlink(path));
      },
      async destroy() {
        await ignoreMissing(unlink(path));
      },
      async quarantine() {
        await ignoreMissing(rename(path, join(quarantine, flatName(digest))));
        await syncDirectory(quarantine);
      },
    };
  }

  return {
    name: "filesystem",
    stat: statOf,
    async read(digest) {
      const path = pathOf(digest);
      return (await ignoreMissing(stat(path))) === undefined ? undefined : Bun.file(path);
    },
    async stage(uploadId) {
      return openStage(stageOf(uploadId), uploadId, pathOf, directoryOf);
    },
    async *stages() {
      for (const name of await readdir(uploads)) if (isUploadId(name)) yield name;
    },
    async withdraw(digest, id) {
      const path = join(withdrawals, `${flatName(digest)}.${checkUploadId(id)}`);
      const size = (await statOf(digest))?.size;
      if (size === undefined) return undefined;
      // Not synced: after a power cut the file may be back in its place, which does no harm.
      const renamed = await ignoreMissing(rename(pathOf(digest), path).then(() => true));
      return renamed === undefined ? undefined : withdrawnAt(path, digest, id, size);
    },
    async *withdrawn() {
      for (const name of await readdir(withdrawals)) {
        const match = /^(sha256|sha512)-([a-f0-9]+)\.([a-zA-Z0-9-]+)$/.exec(name);
        const digest = match && parseDigest(`${match[1]}:${match[2]}`);
        const path = join(withdrawals, name);
        const found = await ignoreMissing(stat(path));
        if (digest && found) yield withdrawnAt(path, digest, match?.[3] ?? "", found.size);
      }
    },
    async sweep() {
      let swept = 0;
      for await (const { directory, name } of names()) {
        const uploadId = /^[a-f0-9]+\.([a-zA-Z0-9-]+)$/.exec(name)?.[1];
        if (uploadId === undefined) continue;
        // A stage is discarded only after its publishing has ended.
        if ((await ignoreMissing(stat(stageOf(uploadId)))) !== undefined) continue;
        await ignoreMissing(unlink(join(directory, name)));
        swept++;
      }
      return swept;
    },
    async *list(): AsyncIterable<BlobStat> {
      for await (const { algorithm, prefix, name } of names()) {
        // A file in the wrong directory is no blob, because nobody would find it there.
        const digest = name.startsWith(prefix) ? parseDigest(`${algorithm}:${name}`) : undefined;
        const found = digest && (await statOf(digest));
        if (found !== undefined) yield found;
      }
    },
    async close() {},
  };

  /** Everything in the directories of blobs, one directory of about 1/256 at a time. */
  async function* names() {
    for (const algorithm of digestAlgorithms) {
      for (const prefix of prefixes()) {
        const directory = join(root, "blobs", algorithm, prefix);
        for (const name of await readdir(directory)) yield { algorithm, prefix, directory, name };
      }
    }
  }
}

function prefixes(): string[] {
  return Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));
}

function flatName(digest: Digest): string {
  return `${digestAlgorithm(digest)}-${digestEncoded(digest)}`;
}
