/**
 * Where a region keeps blobs, addressed by digest. A driver stores bytes; it knows no repository
 * and decides nothing. Digests are checked above the drivers, in `verified.ts`.
 *
 * An upload goes through a stage: `append` at its end, as often as needed and across restarts,
 * then `publish` under its digest, then `discard`. A blob is readable wholly or not at all.
 * `tests/contract/blob-store.ts` is the specification that every driver passes.
 */
import type { Digest } from "../image/digest.ts";

export interface BlobStat {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
}

export interface BlobStore {
  /** For logs and metrics only; never branch on it. */
  readonly name: string;
  stat(digest: Digest): Promise<BlobStat | undefined>;
  /**
   * The bytes, read lazily; `slice` gives a range. A driver that can, returns a file that the
   * server sends without copying. Undefined when the blob is not there.
   */
  read(digest: Digest): Promise<Blob | undefined>;
  /** Opens the stage of an upload, new or as it was left. */
  stage(uploadId: string): Promise<BlobStage>;
  /** Stages that exist, for the expiry of abandoned ones. In no order. */
  stages(): AsyncIterable<string>;
  /** Removes a blob. Idempotent. */
  delete(digest: Digest): Promise<void>;
  /** Moves a damaged blob out of reach, for a person to look at. Idempotent. */
  quarantine(digest: Digest): Promise<void>;
  /** Every blob, in no order. */
  list(): AsyncIterable<BlobStat>;
  close(): Promise<void>;
}

export interface BlobStage {
  readonly uploadId: string;
  /** Bytes held so far: the offset at which the next append begins. */
  readonly size: number;
  /**
   * Adds bytes at the end, as they come. What has arrived stays, also when `chunks` fails in the
   * middle: `size` tells how much.
   */
  append(chunks: AsyncIterable<Uint8Array>): Promise<void>;
  /** All bytes staged so far, read lazily. */
  read(): Promise<Blob>;
  /**
   * Makes the staged bytes readable as `digest`, durably: on return they survive a power cut.
   * Replaces what was there under that digest, and can be repeated until the stage is discarded.
   */
  publish(digest: Digest): Promise<void>;
  /** Drops the stage; what it published stays. Idempotent. */
  discard(): Promise<void>;
}
