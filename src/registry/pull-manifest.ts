/** Pulls a manifest: finds it, and records the time unless the caller is excluded. */
import { updatePulledAt } from "../metadata/queries/images.ts";
import type { RegistryContext, RepositoryAddress } from "./context.ts";
import { findDocument } from "./documents.ts";
import { RegistryError } from "./errors.ts";
import { findManifest, type ManifestReferenceInput, type StoredManifest } from "./find-manifest.ts";
import { pullTimeExclusionKind } from "./pull-time-exclusions.ts";

/** ECR records a pull at least every 24 hours; a write for each would be too many. */
const recordIntervalMilliseconds = 3600_000;

/**
 * A manifest that may be pulled: an archived one is as if it were not there.
 * @throws repository_unknown, manifest_unknown
 */
export async function findPullableManifest(
  context: RegistryContext,
  address: RepositoryAddress,
  reference: ManifestReferenceInput,
): Promise<StoredManifest> {
  const manifest = await findManifest(context, address, reference);
  if (!manifest.archived) return manifest;
  const { account, repository } = address;
  const named = "tag" in reference ? reference.tag : reference.digest;
  throw new RegistryError("manifest_unknown", { repository, account, reference: named });
}

/**
 * @param identityArn the user or role that pulls
 * @throws repository_unknown, manifest_unknown
 */
export async function pullManifest(
  context: RegistryContext,
  address: RepositoryAddress,
  reference: ManifestReferenceInput,
  identityArn: string,
): Promise<StoredManifest> {
  const manifest = await findPullableManifest(context, address, reference);
  await recordPull(context, address.account, manifest, identityArn);
  return manifest;
}

async function recordPull(
  { metadata, clock }: RegistryContext,
  account: string,
  { digest, repositoryId, pulledAt }: StoredManifest,
  identityArn: string,
): Promise<void> {
  const now = clock.now();
  if (pulledAt !== undefined && now - pulledAt < recordIntervalMilliseconds) return;
  const excluded = await findDocument(metadata.read, pullTimeExclusionKind, account, identityArn);
  if (excluded !== undefined) return;
  try {
    await metadata.transaction((tx) => updatePulledAt(tx, repositoryId, digest, now), {
      durable: false,
    });
  } catch {
    // A full disk must not keep anybody from pulling; the next pull records its own time.
  }
}
