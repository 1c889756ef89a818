/**
 * Deletes an image as Amazon ECR does: by tag it loses the tag, and with its last tag it goes; by
 * digest it goes with all its tags. One that an index refers to stays.
 */
import type { Digest } from "../image/digest.ts";
import { selectReferringIndex } from "../metadata/queries/images.ts";
import { selectManifestDigests } from "../metadata/queries/manifests.ts";
import { holdRepository } from "../metadata/queries/repositories.ts";
import { selectTagForUpdate, selectTagsOfManifest } from "../metadata/queries/tags.ts";
import { announce } from "./change.ts";
import type { RegistryContext, RepositoryAddress } from "./context.ts";
import { type Actor, requireRepository } from "./create-repository.ts";
import { removeManifest } from "./delete-manifest.ts";
import { buryTag } from "./delete-tag.ts";
import { RegistryError } from "./errors.ts";
import { storedManifestFacts } from "./manifest-facts.ts";

export interface DeletedImage {
  readonly digest: string;
  /** The tags that are gone. */
  readonly tags: readonly string[];
}

/** @throws repository_unknown, manifest_unknown, manifest_in_use */
export function deleteImage(
  context: RegistryContext,
  input: RepositoryAddress & Actor & ({ readonly digest: Digest } | { readonly tag: string }),
): Promise<DeletedImage> {
  const { account, repository, actor } = input;
  return context.metadata.transaction(async (tx) => {
    const { id } = await requireRepository(tx, input);
    await holdRepository(tx, id);
    const unknown = (reference: string) =>
      new RegistryError("manifest_unknown", { repository, account, reference });
    const row = "tag" in input ? await selectTagForUpdate(tx, id, input.tag) : undefined;
    if ("tag" in input && row === undefined) throw unknown(input.tag);
    const digest = "tag" in input ? (row?.digest ?? "") : input.digest;
    if (row !== undefined && (await selectTagsOfManifest(tx, id, digest)).length > 1) {
      const clock = await buryTag(context, tx, id, row);
      await announce(context, tx, {
        kind: "tag_deleted",
        account,
        repository,
        repositoryId: id,
        digest,
        tag: row.name,
        clock,
        origin: context.region,
        actor,
        detail: await storedManifestFacts(tx, id, digest),
      });
      return { digest, tags: [row.name] };
    }
    if ((await selectManifestDigests(tx, id, [digest])).size === 0) throw unknown(digest);
    const index = await selectReferringIndex(tx, id, digest);
    if (index !== undefined) throw new RegistryError("manifest_in_use", { digest, index });
    return {
      digest,
      tags: await removeManifest(context, tx, id, { account, repository, actor, digest }),
    };
  });
}
