/** Reads a manifest of a repository, byte for byte as it was pushed. */
import type { Digest } from "../image/digest.ts";
import {
  type ManifestRow,
  selectManifestByDigest,
  selectManifestByTag,
} from "../metadata/queries/manifests.ts";
import type { RegistryContext, RepositoryAddress } from "./context.ts";
import { requireRepository } from "./create-repository.ts";
import { RegistryError } from "./errors.ts";

export type ManifestReferenceInput = { readonly digest: Digest } | { readonly tag: string };

export interface StoredManifest {
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly repositoryId: number;
  /** Milliseconds since the epoch; undefined when no pull was recorded. */
  readonly pulledAt: number | undefined;
  /** It is kept, and cannot be pulled until it is restored. */
  readonly archived: boolean;
}

/** @throws repository_unknown, manifest_unknown */
export async function findManifest(
  context: RegistryContext,
  address: RepositoryAddress,
  reference: ManifestReferenceInput,
): Promise<StoredManifest> {
  const { account, repository } = address;
  const db = context.metadata.read;
  const row: ManifestRow | undefined =
    "tag" in reference
      ? await selectManifestByTag(db, account, repository, reference.tag)
      : await selectManifestByDigest(db, account, repository, reference.digest);
  if (row === undefined) {
    await requireRepository(db, address);
    throw new RegistryError("manifest_unknown", {
      repository,
      account,
      reference: "tag" in reference ? reference.tag : reference.digest,
    });
  }
  return {
    digest: row.digest,
    mediaType: row.media_type,
    bytes: row.bytes,
    repositoryId: row.repository_id,
    pulledAt: row.pulled_at ?? undefined,
    archived: row.storage_class === "ARCHIVE",
  };
}
