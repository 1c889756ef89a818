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
import { constants } from "node:fs";
import {
  type FileHandle,
  link,
  mkdir,
  open,
  readdir,
  rename,
  stat,
  unlink,
} from "node:fs/promises";
import { join } from "node:path";
import {
  type Digest,
  digestAlgorithm,
  digestAlgorithms,
  digestEncoded,
  parseDigest,
} from "../image/digest.ts";
import type { BlobStage, BlobStat, BlobStore } from "./blob-store.ts";

/** Appended bytes are handed to the disk in the background each time this many have gathered. */
const writebackBytes = 32 * 1024 * 1024;
/** Small chunks are gathered into writes of this size. */
const writeBytes = 1024 * 1024;

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

  const directoryOf = (digest: Digest) =>
    join(root, "blobs", digestAlgorithm(digest), digestEncoded(digest).slice(0, 2));
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
    stage: (uploadId) =>
      openStage(join(uploads, safeName(uploadId)), uploadId, pathOf, directoryOf),
    async *stages() {
      yield* await readdir(uploads);
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
            const digest = parseDigest(`${algorithm}:${name}`);
            const size = digest && (await sizeOf(pathOf(digest)));
            if (digest !== undefined && size !== undefined) yield { digest, size };
          }
        }
      }
    },
    async close() {},
  };
}

async function openStage(
  path: string,
  uploadId: string,
  pathOf: (digest: Digest) => string,
  directoryOf: (digest: Digest) => string,
): Promise<BlobStage> {
  let size = (await sizeOf(path)) ?? 0;
  let discarded = false;

  return {
    uploadId,
    get size() {
      return size;
    },
    async append(chunks) {
      const file = await open(path, constants.O_CREAT | constants.O_WRONLY, 0o600);
      let writeback: Promise<unknown> | undefined;
      let unsynced = 0;
      try {
        size = (await file.stat()).size;
        for await (const chunk of gather(chunks)) {
          await writeAll(file, chunk, size);
          size += chunk.byteLength;
          unsynced += chunk.byteLength;
          if (unsynced >= writebackBytes && writeback === undefined) {
            // Lets the disk work while bytes still arrive, so that publish has little left to wait
            // for. A failure here is not lost: the fsync in publish reports it.
            unsynced = 0;
            writeback = file.datasync().catch(() => {});
            writeback.then(() => {
              writeback = undefined;
            });
          }
        }
      } finally {
        await writeback;
        await file.close();
      }
    },
    async read() {
      if (size === 0) return new Blob([]);
      return Bun.file(path);
    },
    async publish(digest) {
      const file = await open(path, constants.O_CREAT | constants.O_RDWR, 0o600);
      try {
        await file.sync();
      } finally {
        await file.close();
      }
      const temporary = `${pathOf(digest)}.${uploadId}`;
      await ignoreMissing(unlink(temporary));
      await link(path, temporary);
      await rename(temporary, pathOf(digest));
      // A rename over another link to the same file does nothing and leaves both names.
      await ignoreMissing(unlink(temporary));
      await syncDirectory(directoryOf(digest));
    },
    async discard() {
      if (discarded) return;
      discarded = true;
      await ignoreMissing(unlink(path));
    },
  };
}

/**
 * Joins small chunks, so that a stream of 60 KB pieces does not become thousands of writes. What
 * has arrived is passed on also when the source fails.
 */
async function* gather(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let buffer: Uint8Array | undefined;
  let used = 0;
  try {
    for await (const chunk of chunks) {
      if (used === 0 && chunk.byteLength >= writeBytes) {
        yield chunk;
        continue;
      }
      let rest = chunk;
      while (rest.byteLength > 0) {
        buffer ??= new Uint8Array(writeBytes);
        const take = Math.min(rest.byteLength, writeBytes - used);
        buffer.set(rest.subarray(0, take), used);
        used += take;
        rest = rest.subarray(take);
        if (used === writeBytes) {
          yield buffer;
          used = 0;
        }
      }
    }
  } catch (error) {
    if (buffer && used > 0) yield buffer.subarray(0, used);
    throw error;
  }
  if (buffer && used > 0) yield buffer.subarray(0, used);
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.byteLength) {
    const result = await file.write(bytes, written, bytes.byteLength - written, position + written);
    written += result.bytesWritten;
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  return (await ignoreMissing(stat(path)))?.size;
}

export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function ignoreMissing<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Upload ids are ours, but they come back in URLs: nothing but these characters names a file. */
function safeName(uploadId: string): string {
  if (!/^[a-zA-Z0-9-]{1,64}$/.test(uploadId)) throw new TypeError("malformed upload id");
  return uploadId;
}
