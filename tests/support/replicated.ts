/** What tests ask about replicas. */
import { type Digest, digestOf } from "../../src/image/digest.ts";
import { parseManifest } from "../../src/image/manifest.ts";
import {
  type ImageReplicationRow,
  selectImageReplications,
} from "../../src/metadata/queries/image-replications.ts";
import { isRegistryError } from "../../src/registry/errors.ts";
import { readBlob } from "../../src/registry/find-blob.ts";
import { findManifest, type StoredManifest } from "../../src/registry/find-manifest.ts";
import { testAccount } from "./push-image.ts";
import type { TestRegion } from "./regions.ts";
import { waitUntil } from "./wait-until.ts";

const asReference = (reference: string) =>
  reference.includes(":") ? { digest: reference as Digest } : { tag: reference };

/** Undefined when the region does not have it. */
export async function pull(
  region: TestRegion,
  repository: string,
  reference: string,
  account = testAccount,
): Promise<StoredManifest | undefined> {
  try {
    const address = { account, repository };
    return await findManifest(region.context, address, asReference(reference));
  } catch (error) {
    const unknown =
      isRegistryError(error, "manifest_unknown") || isRegistryError(error, "repository_unknown");
    if (unknown) return undefined;
    throw error;
  }
}

/**
 * Pulls a manifest and everything under it as a client does, and calculates every digest.
 * @returns the digests of all that was pulled
 * @throws when anything is missing or damaged
 */
export async function pullAll(
  region: TestRegion,
  repository: string,
  reference: string,
  account = testAccount,
): Promise<string[]> {
  const manifest = await pull(region, repository, reference, account);
  if (manifest === undefined) throw new Error(`${region.name} does not have ${reference}`);
  const algorithm = manifest.digest.startsWith("sha512") ? "sha512" : "sha256";
  if (digestOf(manifest.bytes, algorithm) !== manifest.digest) throw new Error("damaged manifest");
  const pulled: string[] = [manifest.digest];
  const { references } = parseManifest(manifest.bytes, manifest.mediaType);
  for (const { role, digest, required } of references) {
    if (!required) continue;
    // An index may name blobs: old build caches list layers.
    if (role === "manifest" && (await pull(region, repository, digest, account)) !== undefined) {
      pulled.push(...(await pullAll(region, repository, digest, account)));
      continue;
    }
    const address = { account, repository, digest: digest as Digest };
    const content = new Uint8Array(await (await readBlob(region.context, address)).arrayBuffer());
    const actual = digestOf(content, digest.startsWith("sha512") ? "sha512" : "sha256");
    if (actual !== digest) throw new Error(`${digest} is damaged`);
    pulled.push(digest);
  }
  return pulled;
}

/** Of a digest with all its tags, or of a tag with what it points at now. */
export async function replicationsOf(
  source: TestRegion,
  repository: string,
  reference: string,
): Promise<ImageReplicationRow[]> {
  const tag = reference.includes(":") ? undefined : reference;
  const digest = tag === undefined ? reference : (await pull(source, repository, tag))?.digest;
  if (digest === undefined) return [];
  const image = { account: testAccount, repository, digest, tag };
  return selectImageReplications(source.metadata.read, image);
}

/** Waits until every replication of the image has arrived. */
export function allComplete(
  source: TestRegion,
  repository: string,
  reference: string,
): Promise<ImageReplicationRow[]> {
  return waitUntil(
    `the replications of ${repository}@${reference}`,
    async () => {
      const replications = await replicationsOf(source, repository, reference);
      const done = replications.every(({ state }) => state === "complete");
      return replications.length > 0 && done && replications;
    },
    { deadlineMilliseconds: 10_000, intervalMilliseconds: 5 },
  );
}

/** Waits until a replication of the image shows the failure. */
export function failureShown(
  source: TestRegion,
  repository: string,
  reference: string,
  code: string,
): Promise<ImageReplicationRow> {
  return waitUntil(
    `the failure ${code} of ${repository}@${reference}`,
    async () => {
      const replications = await replicationsOf(source, repository, reference);
      return replications.find(({ failure_code }) => failure_code === code);
    },
    { deadlineMilliseconds: 10_000, intervalMilliseconds: 5 },
  );
}
