/**
 * What a registry has acknowledged, kept outside of it. One writer owns one repository, so the
 * order of its own requests is known; a request without an answer may have happened or not.
 */
import { noise } from "../support/push-image.ts";

export interface LedgerBlob {
  readonly digest: string;
  readonly seed: string;
  readonly size: number;
  /** When the 201 came; milliseconds since the epoch. */
  readonly at: number;
}

export interface LedgerManifest {
  readonly digest: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly blobs: readonly LedgerBlob[];
  readonly subject?: string;
}

/** What may be read of something: `undefined` stands for "not there". */
export type Possible = ReadonlySet<string | undefined>;

export class Ledger {
  readonly repository: string;
  readonly blobs = new Map<string, LedgerBlob>();
  /** Acknowledged, and nobody has begun to delete them. */
  readonly manifests = new Map<string, LedgerManifest>();
  /** Everything that was ever sent, by digest: what is found must be one of these. */
  readonly sent = new Map<string, LedgerManifest>();
  readonly tags = new Map<string, Set<string | undefined>>();
  /** Upload sessions that go on after a death: bytes acknowledged, and bytes sent. */
  readonly uploads = new Map<string, { seed: string; size: number; held: number; sent: number }>();

  constructor(repository: string) {
    this.repository = repository;
  }

  /** Before a request that sets a tag, or deletes it (`undefined`). */
  tagMayBecome(tag: string, digest: string | undefined): void {
    const possible = this.tags.get(tag) ?? new Set([undefined]);
    possible.add(digest);
    this.tags.set(tag, possible);
  }

  /** The request was acknowledged. */
  tagIs(tag: string, digest: string | undefined): void {
    this.tags.set(tag, new Set([digest]));
  }

  /** Before the deletion of a manifest: with it go its tags. */
  manifestMayVanish(digest: string): LedgerManifest | undefined {
    const manifest = this.manifests.get(digest);
    this.manifests.delete(digest);
    for (const [tag, possible] of this.tags) {
      if (possible.has(digest)) this.tagMayBecome(tag, undefined);
    }
    return manifest;
  }

  manifestVanished(digest: string): void {
    for (const possible of this.tags.values()) {
      if (possible.delete(digest) && possible.size === 0) possible.add(undefined);
    }
  }
}

export const contentOf = ({ seed, size }: { seed: string; size: number }) => noise(seed, size);
