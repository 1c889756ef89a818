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
  /** Another one whenever bytes are published under the digest again; opaque. */
  readonly revision: string;
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
  /**
   * Takes a blob out of reach at once, however large it is; undefined when it is not there. What
   * becomes of it is decided on the result. Nothing else removes a blob, so that whoever finds out
   * too late that the blob was needed can still put it back.
   * @param id unique; letters, digits and `-`
   */
  withdraw(digest: Digest, id: string): Promise<WithdrawnBlob | undefined>;
  /** What was withdrawn and left so: whoever withdrew it was interrupted, or is still at it. */
  withdrawn(): AsyncIterable<WithdrawnBlob>;
  /**
   * Removes what interrupted publishing left behind, and nothing that a publishing under way needs.
   * @returns how many leftovers
   */
  sweep(): Promise<number>;
  /** Every blob, in no order. */
  list(): AsyncIterable<BlobStat>;
  close(): Promise<void>;
}

/** A blob that is out of reach. Each of these ends it, and does nothing once it has ended. */
export interface WithdrawnBlob {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
  /** Tells withdrawals of one digest apart. */
  readonly id: string;
  /** The bytes, read lazily. */
  read(): Promise<Blob>;
  /** Puts it back, durably; when the digest was published again since, that stays. */
  restore(): Promise<void>;
  destroy(): Promise<void>;
  /** Keeps it for a person to look at, in place of what was kept of the same digest before. */
  quarantine(): Promise<void>;
}

export interface BlobStage {
  readonly uploadId: string;
  /** Bytes held so far: the offset at which the next append begins. */
  readonly size: number;
  /**
   * Adds bytes at the end, as they come. What has arrived stays, also when `chunks` fails in the
   * middle: `size` tells how much.
   * @param release told of chunks that a driver has written and does not look at any more
   */
  append(chunks: AsyncIterable<Uint8Array>, release?: (chunk: Uint8Array) => void): Promise<void>;
  /** All bytes staged so far, read lazily. */
  read(): Promise<Blob>;
  /**
   * Makes the staged bytes readable as `digest`, durably: on return they survive a power cut.
   * Replaces what was there under that digest, and can be repeated until the stage is discarded.
   * @throws when the staged bytes are not there any more
   */
  publish(digest: Digest): Promise<void>;
  /** Drops the stage; what it published stays. Idempotent. */
  discard(): Promise<void>;
}
