/** The stage of an upload as a file, and how it becomes a blob. */
import { constants } from "node:fs";
import { copyFile, type FileHandle, link, open, rename, stat, unlink } from "node:fs/promises";
import type { Digest } from "../image/digest.ts";
import type { BlobStage } from "./blob-store.ts";
import { syncDirectory } from "./durable-directory.ts";

/** Appended bytes are handed to the disk in the background each time this many have gathered. */
const writebackBytes = 32 * 1024 * 1024;
/** Small chunks are gathered into writes of this size. */
const writeBytes = 1024 * 1024;

export async function openStage(
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
      await detach(path);
      const file = await open(path, constants.O_CREAT | constants.O_WRONLY, 0o600);
      let writeback: Promise<unknown> | undefined;
      let unsynced = 0;
      let failure: { error: unknown } | undefined;
      try {
        size = (await file.stat()).size;
        for await (const chunk of gather(chunks)) {
          await writeAll(file, chunk, size);
          size += chunk.byteLength;
          unsynced += chunk.byteLength;
          if (unsynced >= writebackBytes && writeback === undefined) {
            // Lets the disk work while bytes still arrive, so that publish has little left to wait
            // for.
            unsynced = 0;
            writeback = file.datasync().catch((error: unknown) => {
              failure = { error };
            });
            writeback.then(() => {
              writeback = undefined;
            });
          }
        }
      } finally {
        await writeback;
        // A write that failed, such as on a full disk, may have added a part of its bytes.
        size = (await file.stat()).size;
        await file.close();
        if (failure !== undefined) {
          await distrust(path);
          size = 0;
        }
      }
      if (failure !== undefined) throw failure.error;
    },
    async read() {
      if (size === 0) return new Blob([]);
      // What is appended later is not part of it.
      return Bun.file(path).slice(0, size);
    },
    async publish(digest) {
      const temporary = `${pathOf(digest)}.${uploadId}`;
      // Only a stage without bytes may still have no file. One that is missing otherwise was
      // discarded by somebody else, and a new, empty file must never take its place.
      const create = size === 0 ? constants.O_CREAT : 0;
      const file = await open(path, constants.O_RDWR | create, 0o600);
      try {
        const staged = await file.stat();
        if (staged.size !== size) throw new Error(`the stage ${uploadId} was changed meanwhile`);
        await file.sync().catch(async (error: unknown) => {
          await distrust(path);
          size = 0;
          throw error;
        });
        await ignoreMissing(unlink(temporary));
        await link(path, temporary);
        if ((await stat(temporary)).ino !== staged.ino) {
          throw new Error(`the stage ${uploadId} was replaced meanwhile`);
        }
        await rename(temporary, pathOf(digest));
      } finally {
        // A rename over another link to the same file does nothing and leaves both names.
        await ignoreMissing(unlink(temporary));
        await file.close();
      }
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
 * After a sync has failed, the system may have dropped what it could not write and say nothing the
 * next time. So nothing of this file counts any more: the client begins again.
 */
async function distrust(path: string): Promise<void> {
  await ignoreMissing(unlink(path));
}

/**
 * A published stage shares its file with the blob until it is discarded. When the transaction
 * behind the publishing failed, the session lives on, and what the client adds must not reach the
 * blob.
 */
async function detach(path: string): Promise<void> {
  const links = (await ignoreMissing(stat(path)))?.nlink ?? 1;
  if (links === 1) return;
  const copy = `${path}-detached`;
  await copyFile(path, copy);
  await rename(copy, path);
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

export async function ignoreMissing<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
