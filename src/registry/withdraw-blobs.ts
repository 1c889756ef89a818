/**
 * Removes blobs that nobody needs, against pushes that may be reusing them at this very moment.
 *
 * While the blob's row is held: look that no repository links to it, take the bytes out of reach,
 * delete the row, commit. Whoever wants to link the blob needs that row first, so it comes either
 * before (and the collector sees its link) or after (and it sees that the bytes are gone: it looks,
 * and publishes them again). Only when the commit is certain are the bytes destroyed. Otherwise,
 * and after the death of the process, the committed rows decide what becomes of them: a database
 * server may have ended our session and let somebody else go on before our bytes were taken.
 */
import type { WithdrawnBlob } from "../blobs/blob-store.ts";
import { digestOfBlob } from "../blobs/verified.ts";
import { type Digest, digestAlgorithm } from "../image/digest.ts";
import {
  deleteBlobRows,
  holdBlobRow,
  holdOldBlobs,
  insertBlobRow,
  selectLinkedDigests,
} from "../metadata/queries/garbage.ts";
import type { RegistryContext } from "./context.ts";

export interface WithdrawLimits {
  /** Nothing that was touched at or after this is taken; milliseconds since the epoch. */
  readonly cutoff: number;
  /** The transaction takes no further blob after this time: pushes wait for it on SQLite. */
  readonly milliseconds: number;
}

export interface CollectedBlob {
  readonly digest: Digest;
  /** In bytes, as registered. */
  readonly size: number;
}

export interface Withdrawal {
  readonly collected: readonly CollectedBlob[];
  /** Time was up before these; what is in neither list is in use. */
  readonly deferred: readonly Digest[];
}

export async function withdrawBlobs(
  context: RegistryContext,
  digests: readonly Digest[],
  limits: WithdrawLimits,
): Promise<Withdrawal> {
  const { clock, blobs, metadata, random } = context;
  // The transaction may run more than once: what an earlier attempt took counts too.
  const withdrawn: WithdrawnBlob[] = [];
  try {
    const result = await metadata.transaction(async (tx) => {
      const until = clock.now() + limits.milliseconds;
      const held = await holdOldBlobs(tx, digests, limits.cutoff);
      const linked = await selectLinkedDigests(
        tx,
        held.map(({ digest }) => digest),
      );
      const collected: CollectedBlob[] = [];
      const deferred: Digest[] = [];
      for (const { size, ...row } of held) {
        const digest = row.digest as Digest;
        if (linked.has(digest)) continue;
        if (collected.length > 0 && clock.now() >= until) {
          deferred.push(digest);
          continue;
        }
        const blob = await blobs.withdraw(digest, random.uuid());
        if (blob !== undefined) withdrawn.push(blob);
        collected.push({ digest, size });
      }
      await deleteBlobRows(
        tx,
        collected.map(({ digest }) => digest),
      );
      return { collected, deferred };
    });
    const gone = new Set(result.collected.map(({ digest }) => digest));
    for (const blob of withdrawn) {
      if (gone.has(blob.digest)) await blob.destroy();
      else await settleWithdrawn(context, blob);
    }
    return result;
  } catch (error) {
    // When even this fails, the next collection finds them among `withdrawn()`.
    for (const blob of withdrawn) await settleWithdrawn(context, blob).catch(() => {});
    throw error;
  }
}

export type Settlement = "restored" | "destroyed" | "quarantined";

/** Decides by the committed rows what becomes of a blob that was withdrawn. */
export async function settleWithdrawn(
  context: RegistryContext,
  blob: WithdrawnBlob,
): Promise<Settlement> {
  const { digest } = blob;
  const { row, linked } = await context.metadata.transaction(async (tx) => ({
    row: await holdBlobRow(tx, digest),
    linked: (await selectLinkedDigests(tx, [digest])).has(digest),
  }));
  if (!linked) {
    await blob.destroy();
    return "destroyed";
  }
  if (!row && (await digestOfBlob(await blob.read(), digestAlgorithm(digest))) !== digest) {
    // The scrubber took the row because the bytes are damaged, and died before it put them away.
    await blob.quarantine();
    return "quarantined";
  }
  await blob.restore();
  if (!row) await registerIntact(context, blob);
  return "restored";
}

/**
 * Gives verified bytes that repositories link to their row again.
 * @returns false when other bytes, or none, are there by now
 */
export function registerIntact(
  context: RegistryContext,
  verified: { digest: Digest; size: number; revision?: string },
): Promise<boolean> {
  const { digest, size, revision } = verified;
  return context.metadata.transaction(async (tx) => {
    // A row that is there already is a push's, which knows better.
    if (!(await insertBlobRow(tx, digest, size, context.clock.now()))) return true;
    const stat = await context.blobs.stat(digest);
    if (stat !== undefined && (revision ?? stat.revision) === stat.revision) return true;
    await deleteBlobRows(tx, [digest]);
    return false;
  });
}
