/** Takes a blob out of a repository. Other repositories keep it; the bytes are the collector's. */
import { deleteBlobLink } from "../metadata/queries/blobs.ts";
import { selectReferringManifest } from "../metadata/queries/manifests.ts";
import { announce } from "./change.ts";
import type { RegistryContext } from "./context.ts";
import { type Actor, requireRepository } from "./create-repository.ts";
import { RegistryError } from "./errors.ts";
import type { BlobAddress } from "./find-blob.ts";

/** @throws repository_unknown, blob_unknown, blob_in_use */
export function deleteBlob(context: RegistryContext, input: BlobAddress & Actor): Promise<void> {
  const { account, repository, digest, actor } = input;
  return context.metadata.transaction(async (tx) => {
    const { id } = await requireRepository(tx, input);
    // The link first: it is what a push of a manifest holds, so one of the two comes second.
    if (!(await deleteBlobLink(tx, id, digest))) {
      throw new RegistryError("blob_unknown", { digest });
    }
    const manifest = await selectReferringManifest(tx, id, digest);
    if (manifest !== undefined) throw new RegistryError("blob_in_use", { digest, manifest });
    await announce(context, tx, {
      kind: "blob_deleted",
      account,
      repository,
      repositoryId: id,
      digest,
      origin: context.region,
      actor,
    });
  });
}
