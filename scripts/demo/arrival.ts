/**
 * Watches an image come to a region, from outside, as a client sees it: its blobs one after the
 * other, its tag last.
 */

import type { ImageContent } from "../../examples/registry-client/content.ts";
import type { RegistryClient } from "../../examples/registry-client/registry-client.ts";
import type { Digest } from "../../src/image/digest.ts";

export interface Arrival {
  readonly region: string;
  /** Bytes of the image that the region holds so far. */
  arrivedBytes: number;
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

/**
 * @param started the reading of `performance.now()` from which the lag counts
 * @param deadlineMilliseconds after `started`
 */
export function watchArrival(
  client: RegistryClient,
  region: string,
  repository: string,
  tag: string,
  image: ImageContent,
  started: number,
  deadlineMilliseconds: number,
): ArrivalWatch {
  const arrival: Arrival = {
    region,
    arrivedBytes: 0,
    arrivedBlobs: 0,
    lagMilliseconds: undefined,
  };
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
    const missing = new Map<Digest, number>(image.blobs.map(({ digest, size }) => [digest, size]));
    while (missing.size > 0 && arrival.lagMilliseconds === undefined && !overdue()) {
      for (const [digest, size] of missing) {
        const found = await client.headBlob(repository, digest).catch(() => undefined);
        if (found === undefined) continue;
        missing.delete(digest);
        arrival.arrivedBlobs++;
        arrival.arrivedBytes += size;
      }
      await Bun.sleep(blobPollMilliseconds);
    }
  }

  return { arrival, finished: Promise.all([watchTag(), watchBlobs()]).then(() => {}) };
}
