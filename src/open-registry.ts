/** Opens the stores of a region with the real drivers. `serve`, `gc` and `scrub` work on it. */
import { join } from "node:path";
import { makeDurableDirectories } from "./blobs/durable-directory.ts";
import { filesystemBlobStore } from "./blobs/filesystem.ts";
import { verified } from "./blobs/verified.ts";
import { measuredMetadataStore } from "./metadata/measured.ts";
import type { MetadataStore } from "./metadata/metadata-store.ts";
import { postgresMetadataStore } from "./metadata/postgres.ts";
import { sqliteMetadataStore } from "./metadata/sqlite.ts";
import { claimRegion } from "./registry/claim-region.ts";
import type { ChangeObserver, RegistryContext, RegistrySettings } from "./registry/context.ts";
import { hybridClock } from "./registry/hybrid-clock.ts";
import { keyedMutex } from "./registry/keyed-mutex.ts";
import type { Clock, Random } from "./runtime/clock.ts";
import type { Configuration } from "./runtime/configuration-entries.ts";
import type { Metrics } from "./runtime/metrics.ts";

export interface OpenRegistryOptions {
  readonly configuration: Configuration;
  readonly clock: Clock;
  readonly random: Random;
  readonly monotonicNow: () => number;
  readonly metrics: Metrics;
  readonly observers: readonly ChangeObserver[];
  /** Told about what the stores can live with and a person should know. */
  readonly warn?: (error: Error) => void;
}

export interface OpenRegistry {
  readonly context: RegistryContext;
  close(): Promise<void>;
}

/** A directory or a database that cannot be used, in words for the operator. */
export class StartError extends Error {
  override readonly name = "StartError";
}

/** Only its owner may look into it. */
export async function makeDataDirectory(data: string): Promise<void> {
  try {
    await makeDurableDirectories([data], 0o700);
  } catch (error) {
    throw new StartError(`the data directory ${data} cannot be made`, { cause: error });
  }
}

/**
 * The same, for commands that work on a region and never make one: a mistyped directory is an error.
 * @throws {StartError | RegionMismatchError}
 */
export async function openExistingRegistry(options: OpenRegistryOptions): Promise<OpenRegistry> {
  const { metadata, data } = options.configuration;
  const database = join(data, "metadata.sqlite");
  if (metadata.driver === "sqlite" && !(await Bun.file(database).exists())) {
    throw new StartError(`no region was ever started in ${data}: ${database} does not exist`);
  }
  return openRegistry(options);
}

/** @throws {StartError | RegionMismatchError} */
export async function openRegistry(options: OpenRegistryOptions): Promise<OpenRegistry> {
  const { configuration, clock, random } = options;
  const store = await openMetadata(options);
  const metadata = measuredMetadataStore(store, options.metrics, options.monotonicNow);
  try {
    await claimRegion(metadata, configuration.region, clock.now());
    const blobs = verified(await filesystemBlobStore({ root: configuration.data }));
    const context: RegistryContext = {
      region: configuration.region,
      metadata,
      blobs,
      clock,
      random,
      hybridClock: hybridClock(clock),
      settings: registrySettings(configuration),
      observers: options.observers,
      uploadMutex: keyedMutex(),
    };
    return {
      context,
      async close() {
        await blobs.close();
        await metadata.close();
      },
    };
  } catch (error) {
    await metadata.close();
    throw error;
  }
}

export function registrySettings({ registry }: Configuration): RegistrySettings {
  return {
    createRepositoryOnPush: false,
    manifestBytesLimit: registry.manifestLimit.bytes,
    blobBytesLimit: registry.blobLimit.bytes,
    uploadsPerRepositoryLimit: registry.uploadsPerRepositoryLimit,
    uploadExpiryMilliseconds: registry.uploadExpiry.milliseconds,
    garbageGraceMilliseconds: registry.garbageGrace.milliseconds,
  };
}

function openMetadata(options: OpenRegistryOptions): Promise<MetadataStore> {
  const { clock, random, warn } = options;
  const { metadata, data } = options.configuration;
  const now = clock.now();
  if (metadata.driver === "sqlite") {
    const path = join(data, "metadata.sqlite");
    return sqliteMetadataStore({ path, now, ...(warn !== undefined && { warn }) });
  }
  if (metadata.url === undefined) throw new StartError("metadata.url is missing");
  return postgresMetadataStore({ url: metadata.url, now, clock, random });
}
