/** Links a blob that the region has already. */
import type { Transaction } from "../metadata-store.ts";
import { linkBlob, touchBlob } from "./blobs.ts";

/** @returns its size, or undefined when the region does not have it */
export async function linkKnownBlob(
  tx: Transaction,
  repositoryId: number,
  digest: string,
  now: number,
): Promise<number | undefined> {
  const held = await touchBlob(tx, digest, now);
  if (held === undefined) return undefined;
  await linkBlob(tx, repositoryId, digest, now);
  return held.size;
}
