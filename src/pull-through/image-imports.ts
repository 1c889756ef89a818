/**
 * Brings an image of an upstream into a repository, whole: blobs and children first, then the
 * manifest, its tag last. Until then pullers are served from the upstream's answers. An import that
 * was cut off is begun again by the next pull and finds the blobs that have arrived.
 */
import type { Digest } from "../image/digest.ts";
import { parseDigest } from "../image/digest.ts";
import { isManifestType } from "../image/media-type.ts";
import { selectLinkedBlob } from "../metadata/queries/blobs.ts";
import { selectManifestByDigest } from "../metadata/queries/manifests.ts";
import { announce } from "../registry/change.ts";
import type { RegistryContext } from "../registry/context.ts";
import { RegistryError } from "../registry/errors.ts";
import { pushManifest, readManifest } from "../registry/push-manifest.ts";
import type { Semaphore } from "../replication/semaphore.ts";
import type { BlobFetches } from "./blob-fetches.ts";
import type { Upstream, UpstreamManifest } from "./upstream.ts";
import { UpstreamError } from "./upstream-error.ts";

export interface ImageImport {
  readonly account: string;
  readonly repository: string;
  readonly repositoryId: number;
  readonly actor: string;
  readonly upstream: Upstream;
  /** The upstream's host, and the repository's name there. */
  readonly upstreamHost: string;
  readonly name: string;
  readonly manifest: UpstreamManifest;
  readonly tag: string | undefined;
}

export interface ImageImports {
  /** Shared by all who want the same at the same time. @throws UpstreamError, RegistryError */
  run(image: ImageImport): Promise<void>;
  /** A manifest that is being brought in, for those who ask for it meanwhile. */
  pending(repositoryId: number, digest: Digest): UpstreamManifest | undefined;
  stop(): Promise<void>;
}

export interface ImageImportOptions {
  readonly context: RegistryContext;
  readonly blobs: BlobFetches;
  readonly images: Semaphore;
}

/** An index in an index in an index is the deepest that real images have. */
const depthLimit = 8;
const childrenLimit = 1000;

export function imageImports({ context, blobs, images }: ImageImportOptions): ImageImports {
  const running = new Map<string, Promise<void>>();
  const pending = new Map<string, UpstreamManifest>();
  const stopping = new AbortController();

  function run(image: ImageImport): Promise<void> {
    const key = `${image.repositoryId} ${image.manifest.digest} ${image.tag ?? ""}`;
    const present = running.get(key);
    if (present !== undefined) return present;
    const name = `${image.repositoryId} ${image.manifest.digest}`;
    pending.set(name, image.manifest);
    const started = begin(image).finally(() => {
      running.delete(key);
      pending.delete(name);
    });
    started.catch(() => {});
    running.set(key, started);
    return started;
  }

  async function begin(image: ImageImport): Promise<void> {
    const release = await images.acquire(stopping.signal);
    try {
      const budget = { children: childrenLimit };
      await bring(image, image.manifest, image.tag, depthLimit, budget);
    } finally {
      release();
    }
  }

  async function bring(
    image: ImageImport,
    manifest: UpstreamManifest,
    tag: string | undefined,
    depth: number,
    budget: { children: number },
  ): Promise<void> {
    const { account, repository, actor } = image;
    const parsed = readManifest(context, manifest.bytes, manifest.mediaType);
    const fetching: Promise<unknown>[] = [];
    for (const reference of parsed.references) {
      const digest = parseDigest(reference.digest);
      if (digest === undefined || !reference.required) continue;
      if (reference.role === "manifest" && isManifestType(reference.mediaType)) {
        await bringChild(image, digest, depth, budget);
      } else {
        fetching.push(bringBlob(image, digest, reference.size));
      }
    }
    const results = await Promise.allSettled(fetching);
    for (const result of results) if (result.status === "rejected") throw result.reason;
    const pushed = await pushManifest(context, {
      account,
      repository,
      actor,
      mayCreate: false,
      bytes: manifest.bytes,
      contentType: manifest.mediaType,
      digest: manifest.digest,
      tags: tag === undefined ? [] : [tag],
    });
    if (!pushed.changed || manifest !== image.manifest) return;
    await context.metadata.transaction((tx) =>
      announce(context, tx, {
        kind: "pull_through_cache_synchronized",
        account,
        repository,
        repositoryId: image.repositoryId,
        digest: manifest.digest,
        ...(tag !== undefined && { tag }),
        origin: context.region,
        actor,
        detail: { upstream: image.upstreamHost, upstreamRepository: image.name },
      }),
    );
  }

  async function bringChild(
    image: ImageImport,
    digest: Digest,
    depth: number,
    budget: { children: number },
  ): Promise<void> {
    const { account, repository, upstream, name } = image;
    const read = context.metadata.read;
    if ((await selectManifestByDigest(read, account, repository, digest)) !== undefined) return;
    if (depth === 0 || --budget.children < 0) {
      throw new UpstreamError("invalid", "the image has too many manifests, or too many levels");
    }
    const child = await upstream.manifest(name, digest, stopping.signal);
    await bring(image, child, undefined, depth - 1, budget);
  }

  async function bringBlob(image: ImageImport, digest: Digest, size: number): Promise<void> {
    const { account, repository, repositoryId, upstream, name } = image;
    const linked = await selectLinkedBlob(context.metadata.read, account, repository, digest);
    if (linked !== undefined) return;
    await blobs.fetch({ upstream, name, repositoryId, digest, size }).done;
  }

  return {
    run,
    pending: (repositoryId, digest) => pending.get(`${repositoryId} ${digest}`),
    async stop() {
      stopping.abort(new UpstreamError("unavailable", "the registry is stopping"));
      await Promise.allSettled([...running.values()]);
    },
  };
}

/** What an import can fail with that is nobody's bug. */
export function isExpectedFailure(error: unknown): boolean {
  return error instanceof UpstreamError || error instanceof RegistryError;
}
