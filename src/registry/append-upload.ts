/** Adds bytes to an upload session. */
import type { BlobStage } from "../blobs/blob-store.ts";
import type { RegistryContext } from "./context.ts";
import { RegistryError } from "./errors.ts";
import { isTouchDue, openUpload, renewUpload, type UploadAddress } from "./find-upload.ts";

export interface UploadChunk {
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Told of chunks of `bytes` that nobody looks at any more. */
  readonly release?: (chunk: Uint8Array) => void;
  /** The offset that the client believes it is at; absent when it streams. */
  readonly start?: number;
  /** How many bytes the client announced, when it did. */
  readonly length?: number;
}

/**
 * @returns the bytes held afterwards
 * @throws upload_unknown, upload_range_invalid, size_invalid, blob_too_large
 */
export function appendUpload(
  context: RegistryContext,
  upload: UploadAddress,
  chunk: UploadChunk,
): Promise<number> {
  return context.uploadMutex.runExclusively(upload.uploadId, async () => {
    const { stage } = await openUpload(context, upload);
    await appendToStage(context, upload, stage, chunk);
    return stage.size;
  });
}

/** The same for a stage that is already open and locked. */
export async function appendToStage(
  context: RegistryContext,
  { uploadId, repository }: UploadAddress,
  stage: BlobStage,
  { bytes, release, start, length }: UploadChunk,
): Promise<void> {
  const before = stage.size;
  if (start !== undefined && start !== before) {
    throw new RegistryError("upload_range_invalid", { uploadId, repository, heldBytes: before });
  }
  const limitBytes = context.settings.blobBytesLimit;
  if (before + (length ?? 0) > limitBytes) {
    throw new RegistryError("blob_too_large", { limitBytes });
  }
  await stage.append(
    atMost(renewing(context, uploadId, bytes), length ?? limitBytes - before, (receivedBytes) =>
      length === undefined
        ? new RegistryError("blob_too_large", { limitBytes })
        : new RegistryError("size_invalid", { announcedBytes: length, receivedBytes }),
    ),
    release,
  );
  const receivedBytes = stage.size - before;
  if (length !== undefined && receivedBytes !== length) {
    throw new RegistryError("size_invalid", { announcedBytes: length, receivedBytes });
  }
}

/** Stops before the bytes that are too many, so that none of them is ever kept. */
async function* atMost(
  bytes: AsyncIterable<Uint8Array>,
  mostBytes: number,
  tooMany: (receivedBytes: number) => RegistryError,
): AsyncIterable<Uint8Array> {
  let received = 0;
  for await (const chunk of bytes) {
    received += chunk.byteLength;
    if (received > mostBytes) throw tooMany(received);
    yield chunk;
  }
}

/** Keeps the session from expiring while its bytes come. */
async function* renewing(
  context: RegistryContext,
  uploadId: string,
  bytes: AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  let touchedAt = context.clock.now();
  for await (const chunk of bytes) {
    if (isTouchDue(context, touchedAt)) {
      await renewUpload(context, uploadId);
      touchedAt = context.clock.now();
    }
    yield chunk;
  }
}
