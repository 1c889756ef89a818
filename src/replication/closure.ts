/**
 * The image closure: a manifest and everything reachable from it that the source has. What a
 * manifest requires must be there; foreign layers, and children of an index that were deleted or
 * never pushed, may be absent.
 */
import { type Digest, parseDigest } from "../image/digest.ts";
import type { Queryable } from "../metadata/metadata-store.ts";
import { selectHeldReferences, selectManifestForOffer } from "../metadata/queries/image-closure.ts";
import { ReplicationFailure } from "./failure.ts";

export interface ClosureManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  /** The region in which a client pushed it. */
  readonly origin: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface ClosureBlob {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
}

export interface ImageClosure {
  readonly root: Digest;
  /** Children before those that refer to them; the root is the last. */
  readonly manifests: readonly ClosureManifest[];
  /** Each once. */
  readonly blobs: readonly ClosureBlob[];
  readonly absent: readonly string[];
}

export interface ClosureLimits {
  readonly manifests: number;
  readonly manifestBytes: number;
  readonly blobs: number;
}

/** What the repository has of one descriptor. */
export type HeldReference =
  | { readonly kind: "manifest"; readonly digest: Digest }
  | { readonly kind: "blob"; readonly digest: Digest; readonly size: number }
  /** A child of an index that is not here. */
  | { readonly kind: "absent"; readonly digest: string }
  /** A config or layer that is required and not here. */
  | { readonly kind: "lost"; readonly digest: string };

export interface ClosureNode {
  readonly manifest: ClosureManifest;
  readonly references: readonly HeldReference[];
}

/**
 * The walk itself, over whatever reads a manifest.
 * @returns undefined when the root is not there
 * @throws ReplicationFailure `closure_too_large`, `blob_unavailable`
 */
export async function walkClosure(
  root: Digest,
  read: (digest: Digest) => Promise<ClosureNode | undefined>,
  limits: ClosureLimits,
): Promise<ImageClosure | undefined> {
  const manifests = new Map<Digest, ClosureManifest>();
  const blobs = new Map<Digest, ClosureBlob>();
  const absent = new Set<string>();
  const seen = new Set<Digest>([root]);
  // Depth first with a stack of our own: an index may be nested deeper than calls may be.
  const path: { node: ClosureNode; next: number }[] = [];
  let manifestBytes = 0;

  const enter = async (digest: Digest): Promise<boolean> => {
    const node = await read(digest);
    if (node === undefined) return false;
    manifestBytes += node.manifest.bytes.byteLength;
    if (seen.size > limits.manifests || manifestBytes > limits.manifestBytes) {
      throw tooLarge(`more than ${limits.manifests} manifests or ${limits.manifestBytes} bytes`);
    }
    path.push({ node, next: 0 });
    return true;
  };

  if (!(await enter(root))) return undefined;
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    const reference = top.node.references[top.next++];
    if (reference === undefined) {
      manifests.set(top.node.manifest.digest, top.node.manifest);
      path.pop();
    } else if (reference.kind === "manifest") {
      if (seen.has(reference.digest)) continue;
      seen.add(reference.digest);
      // Deleted since its parent was read.
      if (!(await enter(reference.digest))) absent.add(reference.digest);
    } else if (reference.kind === "blob") {
      blobs.set(reference.digest, { digest: reference.digest, size: reference.size });
      if (blobs.size > limits.blobs) throw tooLarge(`more than ${limits.blobs} blobs`);
    } else if (reference.kind === "absent") {
      absent.add(reference.digest);
    } else {
      throw new ReplicationFailure("blob_unavailable", `${reference.digest} is not in the source`);
    }
  }
  return {
    root,
    manifests: [...manifests.values()],
    blobs: [...blobs.values()],
    absent: [...absent],
  };
}

function tooLarge(text: string): ReplicationFailure {
  return new ReplicationFailure("closure_too_large", `the image has ${text}`);
}

/** The closure as the repository has it now. */
export function loadClosure(
  db: Queryable,
  repositoryId: number,
  root: Digest,
  limits: ClosureLimits,
): Promise<ImageClosure | undefined> {
  return walkClosure(root, (digest) => readNode(db, repositoryId, digest), limits);
}

async function readNode(
  db: Queryable,
  repositoryId: number,
  digest: Digest,
): Promise<ClosureNode | undefined> {
  const row = await selectManifestForOffer(db, repositoryId, digest);
  if (row === undefined) return undefined;
  const references: HeldReference[] = [];
  for (const reference of await selectHeldReferences(db, repositoryId, digest)) {
    const child = reference.role === "manifest";
    const known = parseDigest(reference.digest);
    if (known !== undefined && child && reference.is_manifest) {
      references.push({ kind: "manifest", digest: known });
    } else if (known !== undefined && reference.blob_size !== null) {
      references.push({ kind: "blob", digest: known, size: reference.blob_size });
    } else if (child) {
      references.push({ kind: "absent", digest: reference.digest });
    } else if (reference.required) {
      references.push({ kind: "lost", digest: reference.digest });
    }
  }
  return {
    manifest: { digest, mediaType: row.media_type, origin: row.origin, bytes: row.bytes },
    references,
  };
}
