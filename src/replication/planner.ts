/** What to send, and how: pure. */
import type { Digest } from "../image/digest.ts";
import type { ClosureBlob } from "./closure.ts";
import { ReplicationFailure } from "./failure.ts";
import { type MissingBlob, offerLimits } from "./offer.ts";

export interface InlineLimits {
  /** A first offer carries blobs up to this size unasked: a config is new when its image is. */
  readonly unaskedBlobBytes: number;
  readonly unaskedBytes: number;
  /** When no more than this is missing, all of it goes inline: that saves a round trip. */
  readonly everythingBytes: number;
  /** Beside streams, only small blobs go inline: a stream of their own would cost more. */
  readonly besideBlobBytes: number;
  readonly besideBytes: number;
}

/** At 20 Mbit/s per connection 1 MiB takes 0.4 s, which is where parallel streams begin to win. */
export const defaultInlineLimits: InlineLimits = {
  unaskedBlobBytes: 16 * 1024,
  unaskedBytes: 64 * 1024,
  everythingBytes: 1024 * 1024,
  besideBlobBytes: 64 * 1024,
  besideBytes: 256 * 1024,
};

/** The blobs that ride in the first offer, before the destination has said what it lacks. */
export function unaskedBlobs(blobs: readonly ClosureBlob[], limits: InlineLimits): ClosureBlob[] {
  return smallest(blobs, limits.unaskedBlobBytes, limits.unaskedBytes);
}

export interface BlobStreamPlan extends ClosureBlob {
  readonly offset: number;
}

export interface TransferPlan {
  /** To be sent as streams, the longest first: it decides when the image is complete. */
  readonly streams: readonly BlobStreamPlan[];
  /** To ride in the commit. */
  readonly inline: readonly ClosureBlob[];
  /** Blobs that somebody else is sending. */
  readonly busy: readonly Digest[];
  /** All that is missing, in bytes. */
  readonly bytes: number;
}

/** @throws ReplicationFailure when the answer makes no sense */
export function planTransfer(
  blobs: readonly ClosureBlob[],
  missing: readonly MissingBlob[],
  limits: InlineLimits,
): TransferPlan {
  const offered = new Map(blobs.map((blob) => [blob.digest, blob]));
  const wanted = new Map<Digest, BlobStreamPlan>();
  const busy: Digest[] = [];
  let bytes = 0;
  for (const { digest, offset, busy: taken } of missing) {
    const blob = offered.get(digest);
    if (blob === undefined || offset > blob.size) {
      throw new ReplicationFailure(
        "destination_error",
        `the destination asks for ${digest} wrongly`,
      );
    }
    if (wanted.has(digest)) continue;
    bytes += blob.size - offset;
    if (taken) busy.push(digest);
    else wanted.set(digest, { ...blob, offset });
  }
  const untouched = [...wanted.values()].filter((blob) => blob.offset === 0);
  const inline = new Map<Digest, ClosureBlob>();
  const everything = bytes <= limits.everythingBytes && wanted.size <= offerLimits.inlineBlobs;
  const chosen = everything
    ? untouched
    : smallest(untouched, limits.besideBlobBytes, limits.besideBytes);
  for (const { digest, size } of chosen) inline.set(digest, { digest, size });
  const streams = [...wanted.values()]
    .filter((blob) => !inline.has(blob.digest))
    .sort((a, b) => b.size - b.offset - (a.size - a.offset) || (a.digest < b.digest ? -1 : 1));
  return { streams, inline: [...inline.values()], busy, bytes };
}

/** The smallest blobs, each and together within bounds. */
function smallest<B extends ClosureBlob>(blobs: readonly B[], each: number, together: number): B[] {
  const chosen: B[] = [];
  let sum = 0;
  const candidates = blobs
    .filter((blob) => blob.size <= each)
    .sort((a, b) => a.size - b.size || (a.digest < b.digest ? -1 : 1));
  for (const blob of candidates) {
    sum += blob.size;
    if (sum > together || chosen.length === offerLimits.inlineBlobs) break;
    chosen.push(blob);
  }
  return chosen;
}
