/**
 * One region of a run. Its stores survive; everything else lives in an incarnation, which ends at a
 * crash: whatever of it was waiting then waits for ever, and transactions that were open are rolled
 * back.
 */
import type { BlobStage, BlobStore } from "../../src/blobs/blob-store.ts";
import { memoryBlobStore } from "../../src/blobs/memory.ts";
import { verified } from "../../src/blobs/verified.ts";
import type { MetadataStore, SqlValue, Transaction } from "../../src/metadata/metadata-store.ts";
import { sqliteMetadataStore } from "../../src/metadata/sqlite.ts";
import {
  type ChangeObserver,
  defaultRegistrySettings,
  type RegistryContext,
} from "../../src/registry/context.ts";
import { hybridClock } from "../../src/registry/hybrid-clock.ts";
import { keyedMutex } from "../../src/registry/keyed-mutex.ts";
import type { Peer } from "../../src/replication/peer.ts";
import {
  defaultReplicationSettings,
  type ReplicationSettings,
} from "../../src/replication/settings.ts";
import {
  type RunningReplication,
  startReplication,
} from "../../src/replication/start-replication.ts";
import type { Clock } from "../../src/runtime/clock.ts";
import { testAccount } from "../support/push-image.ts";
import { generateRegionKey } from "../support/region-key.ts";
import type { Chance } from "./chance.ts";
import type { Faults } from "./faults.ts";
import type { Scheduler } from "./scheduler.ts";

/** The real figures, but small: images of a run have a few kilobytes. */
export const simulatedSettings: ReplicationSettings = {
  ...defaultReplicationSettings,
  quickBytesLimit: 6_000,
  transfer: {
    ...defaultReplicationSettings.transfer,
    inline: {
      unaskedBlobBytes: 300,
      unaskedBytes: 600,
      everythingBytes: 900,
      besideBlobBytes: 300,
      besideBytes: 600,
    },
    partBytes: 4_096,
  },
  images: { quick: 4, bulk: 2 },
  streams: { quick: 4, bulk: 4 },
};

export interface Incarnation {
  readonly context: RegistryContext;
  readonly replication: RunningReplication;
  readonly alive: () => boolean;
}

export interface SimulatedRegion {
  readonly name: string;
  /** As the disk has it, without faults and without time. */
  readonly store: MetadataStore;
  readonly blobs: BlobStore;
  readonly current: () => Incarnation | undefined;
  /** A transaction is open, and in memory it must end before anybody can look. */
  readonly isBusy: boolean;
  clockOffsetMilliseconds: number;
  /** Faults of disks are over. */
  calm: boolean;
  /** @param peerTo the way to another region from this incarnation */
  start(peerTo: (region: string, alive: () => boolean) => Peer): void;
  crash(): void;
}

export interface NodeOptions {
  readonly name: string;
  readonly names: readonly string[];
  readonly time: Scheduler;
  readonly random: Chance;
  readonly faults: Faults;
  /** Told of what the engine calls an error: a broken promise. */
  readonly onError: (text: string) => void;
}

const key = generateRegionKey();
const never = new Promise<never>(() => {});
class Crashed extends Error {}
export class DiskFull extends Error {}

export async function simulatedRegion(options: NodeOptions): Promise<SimulatedRegion> {
  const { name, time, random, faults } = options;
  const store = await sqliteMetadataStore({ path: ":memory:", now: time.now });
  const blobs = memoryBlobStore();
  let current: Incarnation | undefined;
  let fullUntil = 0;
  let open = 0;
  /** Rejects when the present incarnation dies, so that its open transactions are rolled back. */
  let death = Promise.withResolvers<never>();
  const died = () => death.promise;

  function disk(): Promise<void> | undefined {
    const delay = faults.diskDelayMilliseconds;
    return delay === 0 || region.calm ? undefined : time.sleep(random.between(0, delay));
  }

  function write(): Promise<void> | undefined {
    if (!region.calm) {
      if (random.happens(faults.fullDiskProbability))
        fullUntil = time.now + random.between(10, 20_000);
      if (time.now < fullUntil) throw new DiskFull("the disk is full");
    }
    return disk();
  }

  /** Whoever waits for an incarnation that has ended waits for ever. */
  async function within<T>(alive: () => boolean, work: () => Promise<T>): Promise<T> {
    if (!alive()) return never;
    try {
      const result = await work();
      return alive() ? result : never;
    } catch (error) {
      if (!alive()) return never;
      throw error;
    }
  }

  function metadataOf(alive: () => boolean): MetadataStore {
    return {
      name: store.name,
      read: {
        dialect: store.read.dialect,
        all: <Row>(sql: string, parameters?: readonly SqlValue[]) =>
          within(alive, async () => {
            await disk();
            return store.read.all<Row>(sql, parameters);
          }),
      },
      transaction: (work, how) =>
        within(alive, async () => {
          await write();
          open++;
          const result = await store
            .transaction(async (tx) => {
              const step: Transaction = {
                dialect: tx.dialect,
                all<Row>(sql: string, parameters?: readonly SqlValue[]) {
                  if (!alive()) throw new Crashed();
                  return tx.all<Row>(sql, parameters);
                },
                afterCommit: (action) => tx.afterCommit(() => void (alive() && action())),
              };
              // No time passes inside: in memory one connection serves all, and nobody could look.
              const value = await Promise.race([work(step), died()]);
              // Died before the commit: nothing of it happened.
              if (!alive()) throw new Crashed();
              return value;
            }, how)
            .finally(() => open--);
          // Died behind it: all of it happened, and nobody was told.
          await disk();
          return result;
        }),
      close: async () => {},
    };
  }

  function stageOf(alive: () => boolean, stage: BlobStage): BlobStage {
    return {
      uploadId: stage.uploadId,
      get size() {
        return stage.size;
      },
      append: (chunks) =>
        within(alive, async () => {
          async function* checked() {
            for await (const chunk of chunks) {
              if (!alive()) return;
              await write();
              yield chunk;
            }
          }
          await stage.append(checked());
        }),
      read: () => within(alive, () => stage.read()),
      publish: (digest) =>
        within(alive, async () => {
          await write();
          if (!alive()) throw new Crashed();
          await stage.publish(digest);
          await disk();
        }),
      discard: () => within(alive, () => stage.discard()),
    };
  }

  function blobsOf(alive: () => boolean): BlobStore {
    return {
      ...blobs,
      stat: (digest) =>
        within(alive, async () => {
          await disk();
          return blobs.stat(digest);
        }),
      read: (digest) => within(alive, () => blobs.read(digest)),
      stage: (uploadId) => within(alive, async () => stageOf(alive, await blobs.stage(uploadId))),
      withdraw: (digest, id) =>
        within(alive, async () => {
          await disk();
          if (!alive()) throw new Crashed();
          return blobs.withdraw(digest, id);
        }),
    };
  }

  function clockOf(alive: () => boolean): Clock {
    return {
      now: () => Math.floor(time.now + region.clockOffsetMilliseconds),
      sleep(milliseconds, signal) {
        if (!alive()) return never;
        if (signal?.aborted) return Promise.resolve();
        return new Promise((resolve) => {
          const done = () => {
            cancel();
            signal?.removeEventListener("abort", done);
            if (alive()) resolve();
          };
          const cancel = time.after(milliseconds, done);
          signal?.addEventListener("abort", done, { once: true });
        });
      },
    };
  }

  const region: SimulatedRegion = {
    name,
    store,
    blobs,
    current: () => current,
    get isBusy() {
      return open > 0;
    },
    clockOffsetMilliseconds: 0,
    calm: false,
    start(peerTo) {
      const alive = () => current === incarnation;
      const clock = clockOf(alive);
      const observers: ChangeObserver[] = [];
      const context: RegistryContext = {
        region: name,
        metadata: metadataOf(alive),
        blobs: verified(blobsOf(alive)),
        clock,
        random: random.fork(),
        hybridClock: hybridClock(clock),
        settings: { ...defaultRegistrySettings, garbageGraceMilliseconds: 600_000 },
        observers,
        uploadMutex: keyedMutex(),
      };
      const replication = startReplication({
        context,
        chart: {
          regions: options.names.map((each) => ({
            name: each,
            endpoint: `http://${each}.invalid`,
            publicKey: key.publicKey,
          })),
        },
        regionKey: key,
        fetch: () => Promise.reject(new Error("nothing leaves a simulation")),
        connect: (destination) => peerTo(destination.name, alive),
        knowsAccount: async (account) => account === testAccount,
        // One account: what policies say is tried elsewhere.
        consent: async () => ({ allowed: true, message: "" }),
        soleWorker: true,
        settings: simulatedSettings,
        log: {
          info() {},
          warn() {},
          error(fields, text) {
            const error = "error" in fields ? (fields.error as Error) : undefined;
            // A full disk is the operator's; everything else is ours.
            if (error instanceof DiskFull || error?.cause instanceof DiskFull) return;
            options.onError(`${name}: ${text} ${error?.stack ?? JSON.stringify(fields)}`);
          },
        },
      });
      observers.push(replication.observer);
      const incarnation: Incarnation = { context, replication, alive };
      death = Promise.withResolvers();
      death.promise.catch(() => {});
      current = incarnation;
      replication.start();
    },
    crash() {
      current = undefined;
      death.reject(new Crashed());
    },
  };
  return region;
}
