/** What every verb of the registry works with. Built once, in `main.ts` and in tests. */
import type { VerifiedBlobStore } from "../blobs/verified.ts";
import type { MetadataStore, Transaction } from "../metadata/metadata-store.ts";
import type { Clock, Random } from "../runtime/clock.ts";
import type { Change } from "./change.ts";
import type { HybridClock } from "./hybrid-clock.ts";
import type { KeyedMutex } from "./keyed-mutex.ts";

export interface RegistrySettings {
  /** A push to a missing repository creates it. */
  readonly createRepositoryOnPush: boolean;
  readonly manifestBytesLimit: number;
  readonly blobBytesLimit: number;
  /** Open upload sessions per repository. */
  readonly uploadsPerRepositoryLimit: number;
  /** An upload that nobody touched for so long is dropped. */
  readonly uploadExpiryMilliseconds: number;
  /** Unreferenced content younger than this is never collected. */
  readonly garbageGraceMilliseconds: number;
}

export const defaultRegistrySettings: RegistrySettings = {
  createRepositoryOnPush: true,
  manifestBytesLimit: 4 * 1024 * 1024,
  blobBytesLimit: 1024 ** 4,
  uploadsPerRepositoryLimit: 1000,
  uploadExpiryMilliseconds: 24 * 3600_000,
  garbageGraceMilliseconds: 24 * 3600_000,
};

/**
 * Sees every change inside the transaction that makes it. What it writes through `tx` commits with
 * the change or not at all.
 */
export type ChangeObserver = (tx: Transaction, change: Change) => Promise<void>;

export interface RegistryContext {
  readonly region: string;
  readonly metadata: MetadataStore;
  readonly blobs: VerifiedBlobStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly hybridClock: HybridClock;
  readonly settings: RegistrySettings;
  readonly observers: readonly ChangeObserver[];
  /** One request at a time works on an upload. */
  readonly uploadMutex: KeyedMutex;
}

/** A repository of a registry: the account and the name as in a URL. */
export interface RepositoryAddress {
  readonly account: string;
  readonly repository: string;
}
