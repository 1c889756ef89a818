/**
 * The destination's decision on an offer, and its application: one transaction in which the
 * manifests appear, children first, and the tag last, with the whole closure present and verified.
 */
import { type Digest, digestAlgorithm, digestOf } from "../image/digest.ts";
import { ManifestSyntaxError, type ParsedManifest, parseManifest } from "../image/manifest.ts";
import type { Transaction } from "../metadata/metadata-store.ts";
import { linkBlob, touchBlob, touchBlobLinks, upsertBlob } from "../metadata/queries/blobs.ts";
import { updateStorageClass } from "../metadata/queries/images.ts";
import { insertManifest } from "../metadata/queries/manifests.ts";
import { holdRepository, selectRepository } from "../metadata/queries/repositories.ts";
import {
  deleteTombstone,
  selectTagForUpdate,
  selectTombstone,
  upsertTag,
} from "../metadata/queries/tags.ts";
import { announce } from "../registry/change.ts";
import type { RegistryContext } from "../registry/context.ts";
import { ensureRepository } from "../registry/create-repository.ts";
import { findRepositorySettings } from "../registry/repository-settings.ts";
import { isMovableTag } from "../registry/tag-mutability.ts";
import { replicationActor } from "./actor.ts";
import type { ClosureManifest } from "./closure.ts";
import { decide, isSplit, type TagState } from "./decide.ts";
import { ReplicationFailure } from "./failure.ts";
import type { Offer, OfferedTag, TagOutcome } from "./offer.ts";

const statsAtOnce = 64;

/** An offer whose manifests have their digests and whose closure is whole. */
export interface CheckedOffer extends Offer {
  readonly parsed: ReadonlyMap<Digest, ParsedManifest>;
  /** Blobs that must be here before anything is applied, with the size that the source states. */
  readonly needed: ReadonlyMap<Digest, number>;
}

/**
 * Believes nothing that it has not calculated.
 * @throws ReplicationFailure `offer_invalid`, `digest_mismatch`, `image_invalid`
 */
export function checkOffer(offer: Offer, manifestBytesLimit: number): CheckedOffer {
  const parsed = new Map<Digest, ParsedManifest>();
  for (const manifest of offer.manifests) {
    parsed.set(manifest.digest, checkManifest(manifest, manifestBytesLimit));
  }
  if (!parsed.has(offer.digest)) throw invalid(`${offer.digest} is not among the manifests`);
  const offered = new Map(offer.blobs.map(({ digest, size }) => [digest as string, size]));
  const absent = new Set(offer.absent);
  const needed = new Map<Digest, number>();
  for (const [manifest, { references }] of parsed) {
    for (const { digest, role, required } of references) {
      if (role === "manifest" && parsed.has(digest as Digest)) continue;
      const size = offered.get(digest);
      if (size !== undefined) needed.set(digest as Digest, size);
      else if (role === "manifest" && absent.has(digest)) continue;
      else if (required) throw invalid(`${manifest} needs ${digest}, which the offer lacks`);
    }
  }
  return { ...offer, parsed, needed };
}

function checkManifest(manifest: ClosureManifest, bytesLimit: number): ParsedManifest {
  const { digest, bytes, mediaType } = manifest;
  if (bytes.byteLength > bytesLimit) {
    throw new ReplicationFailure("image_invalid", `${digest} has more than ${bytesLimit} bytes`);
  }
  const actual = digestOf(bytes, digestAlgorithm(digest));
  if (actual !== digest) {
    throw new ReplicationFailure("digest_mismatch", `the manifest ${digest} has ${actual}`);
  }
  try {
    return parseManifest(bytes, mediaType);
  } catch (error) {
    if (!(error instanceof ManifestSyntaxError)) throw error;
    const text = `${digest}: ${error.message}`;
    throw new ReplicationFailure("image_invalid", text, { cause: error });
  }
}

function invalid(text: string): ReplicationFailure {
  return new ReplicationFailure("offer_invalid", text);
}

export type Application =
  | { readonly outcome: "applied"; readonly tag: TagOutcome; readonly split: boolean }
  | { readonly outcome: "missing"; readonly digests: readonly Digest[] };

/**
 * Applies the offer when all of its blobs are here. When some are missing, those that are here are
 * renewed, so that the collector leaves them until the rest has come.
 * @param source the region that sent it
 * @param published blobs whose bytes were just put into the store, with their sizes
 * @param creates whether a missing repository may be created
 * @throws ReplicationFailure `destination_error` when the repository was deleted meanwhile
 */
export async function applyOffer(
  context: RegistryContext,
  source: string,
  offer: CheckedOffer,
  published: ReadonlyMap<Digest, number>,
  creates: boolean,
): Promise<Application> {
  const gone = await withoutBytes(context, [...offer.needed.keys()]);
  return context.metadata.transaction(async (tx) => {
    const now = context.clock.now();
    const missing = await holdBlobs(context, tx, offer, published, gone);
    if (missing.length > 0) return { outcome: "missing", digests: missing };
    const { account, repository } = offer;
    const actor = replicationActor(account, source);
    if (!creates && (await selectRepository(tx, account, repository)) === undefined) {
      throw new ReplicationFailure("destination_error", "the repository was deleted meanwhile");
    }
    const { id } = await ensureRepository(context, tx, { account, repository, actor });
    await holdRepository(tx, id);
    for (const digest of [...offer.needed.keys()].sort()) await linkBlob(tx, id, digest, now);
    const change = { kind: "image_pushed", account, repository, repositoryId: id, actor } as const;
    const inserted: ClosureManifest[] = [];
    const restored: ClosureManifest[] = [];
    for (const manifest of offer.manifests) {
      const parsed = offer.parsed.get(manifest.digest);
      if (parsed === undefined) throw new Error("the offer was not checked");
      const { digest, bytes, origin } = manifest;
      const row = { ...parsed, repositoryId: id, digest, bytes, pushedAt: now, origin };
      if (await insertManifest(tx, { ...row, replicated: true })) inserted.push(manifest);
      else if (await updateStorageClass(tx, id, digest, "STANDARD", now)) restored.push(manifest);
    }
    const tag = await applyTag(context, tx, id, offer);
    for (const { digest, origin } of restored) {
      const detail = { storageClass: "STANDARD" };
      const kind = "image_storage_class_set";
      await announce(context, tx, { ...change, kind, digest, origin, detail });
    }
    for (const { digest, origin } of inserted) {
      if (digest === offer.digest && tag.outcome === "set") continue;
      await announce(context, tx, { ...change, digest, origin });
    }
    if (offer.tag !== undefined && tag.outcome === "set") {
      const { name, clock, origin } = offer.tag;
      const { digest } = offer;
      await announce(context, tx, { ...change, digest, tag: name, clock, origin });
    }
    return { outcome: "applied", tag: tag.outcome, split: tag.split };
  });
}

/** Compares with the store, never with rows alone: the scrubber may have taken damaged bytes away. */
async function withoutBytes(
  { blobs }: RegistryContext,
  digests: readonly Digest[],
): Promise<Set<Digest>> {
  const gone = new Set<Digest>();
  for (let start = 0; start < digests.length; start += statsAtOnce) {
    const part = digests.slice(start, start + statsAtOnce);
    const stats = await Promise.all(part.map((digest) => blobs.stat(digest)));
    for (const [i, digest] of part.entries()) if (stats[i] === undefined) gone.add(digest);
  }
  return gone;
}

/** Holds and renews every blob that the offer needs; returns those that are not here. */
async function holdBlobs(
  context: RegistryContext,
  tx: Transaction,
  { account, repository, needed }: CheckedOffer,
  published: ReadonlyMap<Digest, number>,
  gone: ReadonlySet<Digest>,
): Promise<Digest[]> {
  const now = context.clock.now();
  const digests = [...needed.keys()].sort();
  const existing = await selectRepository(tx, account, repository);
  // Before the blobs, as a push of a manifest does: in another order the two could deadlock.
  if (existing !== undefined) await holdRepository(tx, existing.id);
  const linked =
    existing === undefined ? new Set() : await touchBlobLinks(tx, existing.id, digests, now);
  const missing: Digest[] = [];
  for (const digest of digests) {
    if (linked.has(digest) && !gone.has(digest)) continue;
    const size = published.get(digest);
    if (size !== undefined) await upsertBlob(tx, digest, size, now);
    const held = size !== undefined || (await touchBlob(tx, digest, now)) !== undefined;
    // A row without a link is a hint: the collector may have taken the bytes. While we hold the row
    // it cannot take them any more.
    if (!held || (await context.blobs.stat(digest)) === undefined) missing.push(digest);
  }
  return missing;
}

async function applyTag(
  context: RegistryContext,
  tx: Transaction,
  repositoryId: number,
  { tag, digest, account, repository }: CheckedOffer,
): Promise<{ outcome: TagOutcome; split: boolean }> {
  if (tag === undefined) return { outcome: "none", split: false };
  // Whatever a client does to the tag from now on must be newer than this.
  context.hybridClock.tick(tag.clock);
  const local = await localState(tx, repositoryId, tag);
  const incoming: TagState = { kind: "tag", digest, version: tag };
  const split = isSplit(local, incoming);
  const decision = decide(local, incoming);
  if (decision === "same") return { outcome: "unchanged", split };
  if (decision === "keep") return { outcome: "kept", split };
  const now = context.clock.now();
  const { name, clock, origin } = tag;
  if (local?.kind === "tag" && local.digest !== digest) {
    const settings = await findRepositorySettings(tx, { account, repository });
    if (!isMovableTag(settings, name)) return { outcome: "immutable", split };
  }
  await upsertTag(tx, repositoryId, { name, digest, clock, origin, now });
  if (local?.kind === "tombstone") await deleteTombstone(tx, repositoryId, name);
  return { outcome: "set", split };
}

async function localState(
  tx: Transaction,
  repositoryId: number,
  { name }: OfferedTag,
): Promise<TagState | undefined> {
  const tag = await selectTagForUpdate(tx, repositoryId, name);
  if (tag !== undefined) return { kind: "tag", digest: tag.digest, version: tag };
  const tombstone = await selectTombstone(tx, repositoryId, name);
  return tombstone && { kind: "tombstone", digest: tombstone.digest, version: tombstone };
}
