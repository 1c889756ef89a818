/** Looks up and reads a blob of a repository. */
import type { Digest } from "../image/digest.ts";
import { selectLinkedBlob, touchBlob, touchBlobLinks } from "../metadata/queries/blobs.ts";
import type { RegistryContext, RepositoryAddress } from "./context.ts";
import { requireRepository } from "./create-repository.ts";
import { RegistryError } from "./errors.ts";

export type BlobAddress = RepositoryAddress & { readonly digest: Digest };

/**
 * Whether the blob is here, asked by somebody who will rely on the answer: a client skips an upload
 * because of it. So the blob is renewed when it is on its way to becoming old enough to collect.
 * @returns its size in bytes
 * @throws repository_unknown, blob_unknown
 */
export async function statBlob(context: RegistryContext, blob: BlobAddress): Promise<number> {
  const { digest } = blob;
  const row = await findBlob(context, blob);
  const now = context.clock.now();
  if (now - row.touched_at > context.settings.garbageGraceMilliseconds / 2) {
    const renewed = await context.metadata.transaction(async (tx) => {
      // The blob before its link, as everywhere: two orders would be a deadlock on PostgreSQL.
      if ((await touchBlob(tx, digest, now)) === undefined) return false;
      return (await touchBlobLinks(tx, row.repository_id, [digest], now)).has(digest);
    });
    if (!renewed) throw new RegistryError("blob_unknown", { digest });
  }
  return row.size;
}

/**
 * The bytes, read lazily.
 * @throws repository_unknown, blob_unknown
 */
export async function readBlob(context: RegistryContext, blob: BlobAddress): Promise<Blob> {
  await findBlob(context, blob);
  const content = await context.blobs.read(blob.digest);
  if (content === undefined) throw new RegistryError("blob_unknown", { digest: blob.digest });
  return content;
}

async function findBlob(context: RegistryContext, blob: BlobAddress) {
  const { account, repository, digest } = blob;
  const row = await selectLinkedBlob(context.metadata.read, account, repository, digest);
  if (row !== undefined) return row;
  await requireRepository(context.metadata.read, blob);
  throw new RegistryError("blob_unknown", { digest });
}
