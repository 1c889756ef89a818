/** Archives an image, or restores it. An archived image is kept and cannot be pulled. */
import { type StorageClass, updateStorageClass } from "../metadata/queries/images.ts";
import { selectManifestDigests } from "../metadata/queries/manifests.ts";
import { holdRepository } from "../metadata/queries/repositories.ts";
import { announce } from "./change.ts";
import type { RegistryContext, RepositoryAddress } from "./context.ts";
import { type Actor, requireRepository } from "./create-repository.ts";
import { RegistryError } from "./errors.ts";
import { storedManifestFacts } from "./manifest-facts.ts";

/** @throws repository_unknown, manifest_unknown */
export function setStorageClass(
  context: RegistryContext,
  input: RepositoryAddress & Actor & { readonly digest: string },
  storageClass: StorageClass,
): Promise<void> {
  const { account, repository, digest, actor } = input;
  return context.metadata.transaction(async (tx) => {
    const { id } = await requireRepository(tx, input);
    await holdRepository(tx, id);
    if ((await selectManifestDigests(tx, id, [digest])).size === 0) {
      throw new RegistryError("manifest_unknown", { repository, account, reference: digest });
    }
    const now = context.clock.now();
    if (!(await updateStorageClass(tx, id, digest, storageClass, now))) return;
    await announce(context, tx, {
      kind: "image_storage_class_set",
      account,
      repository,
      repositoryId: id,
      digest,
      origin: context.region,
      actor,
      detail: { ...(await storedManifestFacts(tx, id, digest)), storageClass },
    });
  });
}
