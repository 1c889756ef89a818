/** Deletes a manifest by digest with all its tags. Each tag leaves a tombstone. */
import type { Digest } from "../image/digest.ts";
import { deleteManifestRows } from "../metadata/queries/manifests.ts";
import { holdRepository } from "../metadata/queries/repositories.ts";
import { selectTagsOfManifest } from "../metadata/queries/tags.ts";
import { announce } from "./change.ts";
import type { RegistryContext, RepositoryAddress } from "./context.ts";
import { type Actor, requireRepository } from "./create-repository.ts";
import { buryTag } from "./delete-tag.ts";
import { RegistryError } from "./errors.ts";

/** @throws repository_unknown, manifest_unknown */
export function deleteManifest(
  context: RegistryContext,
  input: RepositoryAddress & Actor & { digest: Digest },
): Promise<void> {
  const { account, repository, digest, actor } = input;
  return context.metadata.transaction(async (tx) => {
    const { id } = await requireRepository(tx, input);
    await holdRepository(tx, id);
    if (!(await deleteManifestRows(tx, id, digest))) {
      throw new RegistryError("manifest_unknown", { repository, account, reference: digest });
    }
    const tags = await selectTagsOfManifest(tx, id, digest);
    for (const tag of tags) await buryTag(context, tx, id, tag);
    await announce(context, tx, {
      kind: "image_deleted",
      account,
      repository,
      repositoryId: id,
      digest,
      clock: context.hybridClock.tick(),
      origin: context.region,
      actor,
      detail: { tags: tags.map((tag) => tag.name) },
    });
  });
}
