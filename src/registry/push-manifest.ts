/** Stores a manifest and sets tags on it: one transaction with its journal rows. */
import { type Digest, digestAlgorithm, digestOf } from "../image/digest.ts";
import { ManifestSyntaxError, type ParsedManifest, parseManifest } from "../image/manifest.ts";
import { isManifestType } from "../image/media-type.ts";
import type { Transaction } from "../metadata/metadata-store.ts";
import { touchBlobLinks } from "../metadata/queries/blobs.ts";
import { updateStorageClass } from "../metadata/queries/images.ts";
import {
  insertManifest,
  selectManifestByDigest,
  selectManifestDigests,
  updateReplicated,
} from "../metadata/queries/manifests.ts";
import { holdRepository } from "../metadata/queries/repositories.ts";
import { announce } from "./change.ts";
import type { RegistryContext, RepositoryAddress } from "./context.ts";
import { type Actor, repositoryForPush } from "./create-repository.ts";
import { RegistryError } from "./errors.ts";
import { setTag } from "./set-tag.ts";

export interface PushManifestInput extends RepositoryAddress, Actor {
  readonly bytes: Uint8Array;
  /** The media type that the client sent, without parameters. */
  readonly contentType: string | undefined;
  /** The digest that the client expects; absent: sha256 is calculated. */
  readonly digest?: Digest;
  /** Checked tags, without repetition. */
  readonly tags: readonly string[];
}

export interface PushedManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly subject: Digest | undefined;
  /** False when manifest and tags were all there already. */
  readonly changed: boolean;
  /** What the client should know although it succeeded: printable, without quotes. */
  readonly warnings: readonly string[];
}

/**
 * Resolves when the manifest is durable.
 * @throws manifest_invalid, manifest_too_large, digest_mismatch, manifest_references_unknown,
 *   repository_unknown, tag_immutable
 */
export async function pushManifest(
  context: RegistryContext,
  input: PushManifestInput,
): Promise<PushedManifest> {
  const { bytes, account, repository, tags, actor } = input;
  const manifest = readManifest(context, bytes, input.contentType);
  const digest = digestOf(bytes, input.digest && digestAlgorithm(input.digest));
  if (input.digest !== undefined && input.digest !== digest) {
    throw new RegistryError("digest_mismatch", { expected: input.digest, actual: digest });
  }
  const changed = await context.metadata.transaction(async (tx) => {
    const { id } = await repositoryForPush(context, tx, input);
    await holdRepository(tx, id);
    await holdReferences(context, tx, id, manifest);
    let restored = false;
    const inserted = await insertManifest(tx, {
      repositoryId: id,
      digest,
      bytes,
      ...manifest,
      pushedAt: context.clock.now(),
      origin: context.region,
    });
    if (!inserted) {
      await requireSameType(tx, input, digest, manifest);
      await updateReplicated(tx, id, digest);
      // Pushing an archived image again restores it.
      restored = await updateStorageClass(tx, id, digest, "STANDARD", context.clock.now());
    }
    const moved: { tag: string; clock: string }[] = [];
    for (const tag of tags) {
      const clock = await setTag(context, tx, { account, repository, id }, tag, digest);
      if (clock !== undefined) moved.push({ tag, clock });
    }
    const change = {
      kind: "image_pushed",
      account,
      repository,
      repositoryId: id,
      digest,
      origin: context.region,
      actor,
    } as const;
    if (restored) {
      const detail = { storageClass: "STANDARD" };
      await announce(context, tx, { ...change, kind: "image_storage_class_set", detail });
    }
    for (const { tag, clock } of moved) await announce(context, tx, { ...change, tag, clock });
    if (inserted && moved.length === 0) await announce(context, tx, change);
    return inserted || moved.length > 0;
  });
  const { mediaType, subject } = manifest;
  return { digest, mediaType, subject, changed, warnings: warningsOf(manifest) };
}

/**
 * The same bytes without a `mediaType` of their own, sent as another type: to accept them would
 * change what everybody who pulled them by digest has got, or lie to the client that pushes.
 * @throws manifest_invalid
 */
async function requireSameType(
  tx: Transaction,
  { account, repository }: RepositoryAddress,
  digest: Digest,
  { mediaType }: ParsedManifest,
): Promise<void> {
  const stored = await selectManifestByDigest(tx, account, repository, digest);
  if (stored === undefined || stored.media_type === mediaType) return;
  throw new RegistryError("manifest_invalid", {
    reason: `${digest} is in the repository as '${stored.media_type}', not as '${mediaType}'`,
  });
}

function warningsOf({ mediaType, references }: ParsedManifest): string[] {
  // Of an unknown type nothing is required, and nobody can say what is foreign.
  if (!isManifestType(mediaType)) return [];
  const foreign = references.filter((reference) => !reference.required).length;
  return foreign === 0
    ? []
    : [`${foreign} foreign layers are not kept in this registry and will not be replicated`];
}

/** @throws manifest_invalid, manifest_too_large */
export function readManifest(
  context: RegistryContext,
  bytes: Uint8Array,
  contentType: string | undefined,
): ParsedManifest {
  const limitBytes = context.settings.manifestBytesLimit;
  if (bytes.byteLength > limitBytes) throw new RegistryError("manifest_too_large", { limitBytes });
  try {
    return parseManifest(bytes, contentType);
  } catch (error) {
    if (!(error instanceof ManifestSyntaxError)) throw error;
    throw new RegistryError("manifest_invalid", { reason: error.message }, { cause: error });
  }
}

/**
 * Makes sure that everything the manifest needs is in the repository, and keeps the collector off
 * it until the commit. An index may name blobs: old build caches list layers.
 * @throws manifest_references_unknown
 */
export async function holdReferences(
  context: RegistryContext,
  tx: Transaction,
  repositoryId: number,
  { references }: ParsedManifest,
): Promise<void> {
  const required = references.filter((reference) => reference.required);
  const manifests = required.filter((reference) => reference.role === "manifest");
  const present = await selectManifestDigests(
    tx,
    repositoryId,
    manifests.map(({ digest }) => digest),
  );
  const blobs = required.filter(
    ({ role, digest, mediaType }) =>
      role !== "manifest" || (!present.has(digest) && !isManifestType(mediaType)),
  );
  const links = await touchBlobLinks(
    tx,
    repositoryId,
    blobs.map(({ digest }) => digest),
    context.clock.now(),
  );
  const missing = required.filter(({ digest }) => !present.has(digest) && !links.has(digest));
  if (missing.length > 0) {
    throw new RegistryError("manifest_references_unknown", {
      digests: [...new Set(missing.map(({ digest }) => digest))],
      ...(missing.every(({ role }) => role === "manifest") && { manifests: true }),
    });
  }
}
