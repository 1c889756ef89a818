/**
 * Puts staged bytes under their digest, against a collector that may be removing that very digest.
 *
 * The bytes go first, because a row must never promise what a power cut can take away. The collector
 * removes a blob's bytes only while it holds the blob's row and has seen that nothing links to it.
 * So: publish the bytes, take the row, look whether the bytes are still there. When they are not,
 * the collector came between: publish again. With the row held it cannot come a second time.
 */
import type { BlobStage } from "../blobs/blob-store.ts";
import type { Digest } from "../image/digest.ts";
import type { Transaction } from "../metadata/metadata-store.ts";
import { upsertBlob } from "../metadata/queries/blobs.ts";
import type { RegistryContext } from "./context.ts";

const attemptsLimit = 10;

/**
 * Resolves when bytes and rows are durable. The stage is left for the caller to discard.
 * @param alongside what else belongs to the same transaction: above all the link to a repository,
 *   without which the blob may be collected after the grace period
 * @throws DigestMismatchError
 */
export async function publishBlob(
  context: RegistryContext,
  stage: BlobStage,
  digest: Digest,
  alongside: (tx: Transaction, now: number) => Promise<void>,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    await stage.publish(digest);
    const present = await context.metadata.transaction(async (tx) => {
      const now = context.clock.now();
      await upsertBlob(tx, digest, stage.size, now);
      if ((await context.blobs.stat(digest)) === undefined) return false;
      await alongside(tx, now);
      return true;
    });
    if (present) return;
    if (attempt === attemptsLimit) {
      throw new Error(`published ${digest} ${attempt} times and it was gone each time`);
    }
  }
}
