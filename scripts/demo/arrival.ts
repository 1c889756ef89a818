/**
 * Watches an image come to a region, from outside: what the source says it has sent, the blobs as
 * they can be pulled, one after the other, and the tag, which comes last.
 */

import type { ImageContent } from "../../examples/registry-client/content.ts";
import type { RegistryClient } from "../../examples/registry-client/registry-client.ts";
import type { Digest } from "../../src/image/digest.ts";

export interface Arrival {
  readonly region: string;
  /** From the metrics of the source. */
  sentBytes: number;
  /** Blobs of the image that can be pulled from the region. */
  arrivedBlobs: number;
  /** Milliseconds from the start of the watch until the tag answered with the right digest. */
  lagMilliseconds: number | undefined;
}

export interface ArrivalWatch {
  readonly arrival: Arrival;
  /** Rejects when the tag has not come before the deadline. */
  readonly finished: Promise<void>;
}

const tagPollMilliseconds = 5;
const blobPollMilliseconds = 100;

export interface ArrivalOptions {
  readonly client: RegistryClient;
  readonly region: string;
  readonly repository: string;
  readonly tag: string;
  readonly image: ImageContent;
  /** Bytes that the source has sent to the region because of this image. */
  readonly sentBytes: () => Promise<number>;
  /** The reading of `performance.now()` from which the lag counts. */
  readonly started: number;
  /** After `started`. */
  readonly deadlineMilliseconds: number;
}

export function watchArrival({
  client,
  region,
  repository,
  tag,
  image,
  sentBytes,
  started,
  deadlineMilliseconds,
}: ArrivalOptions): ArrivalWatch {
  const arrival: Arrival = { region, sentBytes: 0, arrivedBlobs: 0, lagMilliseconds: undefined };
  const overdue = () => performance.now() - started > deadlineMilliseconds;

  async function watchTag(): Promise<void> {
    while (!overdue()) {
      // A region that was just killed or is starting refuses connections: that is no answer yet.
      const found = await client.headManifest(repository, tag).catch(() => undefined);
      if (found?.digest === image.root.digest) {
        arrival.lagMilliseconds = performance.now() - started;
        return;
      }
      await Bun.sleep(tagPollMilliseconds);
    }
    throw new Error(
      `${repository}:${tag} was not pullable in ${region} after ${deadlineMilliseconds / 1000} s`,
    );
  }

  async function watchBlobs(): Promise<void> {
    const missing = new Set<Digest>(image.blobs.map(({ digest }) => digest));
    while (missing.size > 0 && arrival.lagMilliseconds === undefined && !overdue()) {
      arrival.sentBytes = await sentBytes();
      for (const digest of missing) {
        const found = await client.headBlob(repository, digest).catch(() => undefined);
        if (found === undefined) continue;
        missing.delete(digest);
        arrival.arrivedBlobs++;
      }
      await Bun.sleep(blobPollMilliseconds);
    }
  }

  return { arrival, finished: Promise.all([watchTag(), watchBlobs()]).then(() => {}) };
}
