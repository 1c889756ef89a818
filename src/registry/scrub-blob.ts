/** Verifies one blob at rest, and takes it out of reach when it is damaged. */
import type { WithdrawnBlob } from "../blobs/blob-store.ts";
import { createHasher, type Digest, digestAlgorithm } from "../image/digest.ts";
import { deleteBlobRows, holdBlobRow, selectLinkedDigests } from "../metadata/queries/garbage.ts";
import { updateBlobSize } from "../metadata/queries/scrub.ts";
import type { RegistryContext } from "./context.ts";
import { settleWithdrawn } from "./withdraw-blobs.ts";

/** Waits until so many more bytes may be read. Throws to stop. */
export type Pace = (bytes: number) => Promise<void>;

export type Examination =
  | { readonly outcome: "intact"; readonly size: number; readonly revision: string }
  | { readonly outcome: "damaged"; readonly actual: string; readonly revision: string }
  /** The disk refuses to give the bytes. */
  | { readonly outcome: "unreadable"; readonly revision: string }
  | { readonly outcome: "missing"; readonly revision: undefined };

export type BlobResult =
  | { readonly outcome: "intact"; readonly sizeRepaired: boolean }
  /** The first reading was wrong, the second right: look at memory, cables and disk. */
  | { readonly outcome: "unstable" }
  | { readonly outcome: "quarantined"; readonly reason: "damaged" | "unreadable"; actual?: string }
  /** Linked, but without bytes: its row is removed, so that the next push brings it again. */
  | { readonly outcome: "missing" }
  /** Collected, or a row that nobody relies on. */
  | { readonly outcome: "ignored" };

/** A blob that is pushed again during each of so many readings is left for the next scrub. */
const attemptsLimit = 3;

export async function scrubBlob(
  context: RegistryContext,
  { digest, size }: { digest: Digest; size: number },
  pace: Pace,
): Promise<BlobResult> {
  for (let attempt = 1; attempt <= attemptsLimit; attempt++) {
    const first = await examineBlob(context, digest, pace);
    if (first.outcome === "intact") {
      const sizeRepaired = first.size !== size && (await repairSize(context, digest, first));
      return { outcome: "intact", sizeRepaired };
    }
    const found = first.outcome === "missing" ? first : await examineBlob(context, digest, pace);
    if (found.outcome === "intact") return { outcome: "unstable" };
    const taken = await takeAway(context, digest, found);
    if (taken === "changed") continue;
    if (taken === "ignored") return { outcome: "ignored" };
    if (found.outcome === "missing") return { outcome: "missing" };
    return found.outcome === "damaged"
      ? { outcome: "quarantined", reason: "damaged", actual: found.actual }
      : { outcome: "quarantined", reason: "unreadable" };
  }
  return { outcome: "ignored" };
}

/** Reads a blob through, in bounded memory. */
export async function examineBlob(
  { blobs }: RegistryContext,
  digest: Digest,
  pace: Pace,
): Promise<Examination> {
  const stat = await blobs.stat(digest);
  const content = stat && (await blobs.read(digest));
  if (stat === undefined || content === undefined) {
    return { outcome: "missing", revision: undefined };
  }
  const { revision } = stat;
  const hasher = createHasher(digestAlgorithm(digest));
  let size = 0;
  try {
    for await (const chunk of content.stream()) {
      hasher.update(chunk);
      size += chunk.byteLength;
      await pace(chunk.byteLength);
    }
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (code === "ENOENT") return { outcome: "missing", revision: undefined };
    if (code === "EIO") return { outcome: "unreadable", revision };
    throw error;
  }
  const actual = hasher.digest();
  return actual === digest
    ? { outcome: "intact", size, revision }
    : { outcome: "damaged", actual, revision };
}

/**
 * Removes the promise that the blob is here, and the bytes with it. A push that brought new bytes
 * since they were read has changed the revision. One that brings them between that look and the
 * removal needs the row, which we hold, and looks again once it has it.
 */
async function takeAway(
  context: RegistryContext,
  digest: Digest,
  found: Examination,
): Promise<"taken" | "changed" | "ignored"> {
  const { blobs, metadata, random } = context;
  const withdrawn: WithdrawnBlob[] = [];
  try {
    const result = await metadata.transaction(async (tx) => {
      if (!(await holdBlobRow(tx, digest))) return "ignored";
      const stat = await blobs.stat(digest);
      if (stat?.revision !== found.revision) return "changed";
      if (stat === undefined && !(await selectLinkedDigests(tx, [digest])).has(digest)) {
        return "ignored";
      }
      const blob = await blobs.withdraw(digest, random.uuid());
      if (blob !== undefined) withdrawn.push(blob);
      await deleteBlobRows(tx, [digest]);
      return "taken";
    });
    for (const blob of withdrawn) {
      if (result === "taken") await blob.quarantine();
      else await settleWithdrawn(context, blob);
    }
    return result;
  } catch (error) {
    for (const blob of withdrawn) await settleWithdrawn(context, blob).catch(() => {});
    throw error;
  }
}

/** The bytes are right, what is registered about them is not. */
function repairSize(
  { blobs, metadata }: RegistryContext,
  digest: Digest,
  { size, revision }: { size: number; revision: string },
): Promise<boolean> {
  return metadata.transaction(async (tx) => {
    if (!(await holdBlobRow(tx, digest))) return false;
    if ((await blobs.stat(digest))?.revision !== revision) return false;
    await updateBlobSize(tx, digest, size);
    return true;
  });
}
