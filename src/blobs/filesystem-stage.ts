/** The stage of an upload as a file, and how it becomes a blob. */
import { constants } from "node:fs";
import { copyFile, type FileHandle, link, open, rename, stat, unlink } from "node:fs/promises";
import type { Digest } from "../image/digest.ts";
import type { BlobStage } from "./blob-store.ts";
import { syncDirectory } from "./durable-directory.ts";

/** Appended bytes are handed to the disk in the background each time this many have gathered. */
const writebackBytes = 32 * 1024 * 1024;
/** Small chunks are gathered into writes of up to this size. */
const gatherBytes = 64 * 1024;
/** While more than this waits to be written, nothing further is received. */
const waitingBytesLimit = 512 * 1024;

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
    async append(chunks, release) {
      await detach(path);
      const file = await open(path, constants.O_CREAT | constants.O_WRONLY, 0o600);
      let writeback: Promise<unknown> | undefined;
      let unsynced = 0;
      let failure: { error: unknown } | undefined;
      try {
        size = (await file.stat()).size;
        const writes = writeQueue(file, size, release);
        try {
          for await (const chunk of gather(chunks)) {
            const room = writes.push(chunk);
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
            if (room !== undefined) await room;
          }
        } finally {
          await writes.ended();
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
 * Joins small chunks, so that a stream of 1 KB pieces does not become thousands of writes; larger
 * ones pass as they are. What has arrived is passed on also when the source fails. A chunk belongs to
 * the receiver once it was passed on.
 */
async function* gather(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let buffer: Uint8Array | undefined;
  let used = 0;
  const take = () => {
    const taken = buffer?.subarray(0, used);
    buffer = undefined;
    used = 0;
    return taken;
  };
  try {
    for await (const chunk of chunks) {
      if (used > 0 && used + chunk.byteLength > gatherBytes) yield take() as Uint8Array;
      if (chunk.byteLength >= gatherBytes / 4) {
        if (used > 0) yield take() as Uint8Array;
        yield chunk;
        continue;
      }
      buffer ??= new Uint8Array(gatherBytes);
      buffer.set(chunk, used);
      used += chunk.byteLength;
    }
  } catch (error) {
    if (used > 0) yield take() as Uint8Array;
    throw error;
  }
  if (used > 0) yield take() as Uint8Array;
}

interface WriteQueue {
  /** @returns what to wait for before the next one, when enough is waiting */
  push(bytes: Uint8Array): Promise<void> | undefined;
  /** Resolves when all has been written. @throws the first failure; nothing behind it is written */
  ended(): Promise<void>;
}

/**
 * Writes while the next bytes are received and hashed: the two take about as long, so one after the
 * other would take twice the time. One write at a time, of all that waits: a second one under way
 * could leave a hole behind it when the process dies, and the file's size is what a client resumes at.
 */
function writeQueue(
  file: FileHandle,
  start: number,
  release: (chunk: Uint8Array) => void = () => {},
): WriteQueue {
  let position = start;
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  /** The write that is under way. */
  let writing: Promise<void> | undefined;
  let failure: { error: unknown } | undefined;

  function begin(): void {
    const chunks = waiting;
    waiting = [];
    waitingBytes = 0;
    writing = writeAll(file, chunks, position).then(
      (end) => {
        position = end;
        chunks.forEach(release);
        writing = undefined;
        if (waiting.length > 0) begin();
      },
      (error: unknown) => {
        failure = { error };
        writing = undefined;
      },
    );
  }

  async function room(): Promise<void> {
    while (writing !== undefined && waitingBytes > waitingBytesLimit) await writing;
    if (failure !== undefined) throw failure.error;
  }

  return {
    push(bytes) {
      if (failure !== undefined) return room();
      waiting.push(bytes);
      waitingBytes += bytes.byteLength;
      if (writing === undefined) begin();
      return waitingBytes > waitingBytesLimit ? room() : undefined;
    },
    async ended() {
      while (writing !== undefined) await writing;
      if (failure !== undefined) throw failure.error;
    },
  };
}

/** @returns the position behind them */
async function writeAll(
  file: FileHandle,
  chunks: readonly Uint8Array[],
  start: number,
): Promise<number> {
  let position = start;
  let rest = chunks;
  while (rest.length > 0) {
    const { bytesWritten } = await file.writev(rest, position);
    position += bytesWritten;
    rest = behind(rest, bytesWritten);
  }
  return position;
}

/** What is left of the chunks behind their first `bytes`: a write may take only a part. */
function behind(chunks: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let skip = bytes;
  const rest: Uint8Array[] = [];
  for (const chunk of chunks) {
    if (skip < chunk.byteLength) rest.push(chunk.subarray(skip));
    skip = Math.max(0, skip - chunk.byteLength);
  }
  return rest;
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
