/**
 * How fast images and bytes move. Every node writes what it has moved since its last note; a rate is
 * the sum of the notes of the last minute, so that it covers all nodes, transfers under way and, but
 * for the seconds since the last note, restarts.
 */
import type { MetadataStore, Queryable } from "../metadata/metadata-store.ts";
import {
  deleteReplicationSamples,
  insertReplicationSample,
  type ReplicationSample,
  selectMoved,
} from "../metadata/queries/replication-destinations.ts";
import type { Clock, Random } from "../runtime/clock.ts";
import type { ReplicationMetrics } from "./metrics.ts";

export interface Rate {
  readonly imagesPerSecond: number;
  readonly bytesPerSecond: number;
}

export const rateWindowMilliseconds = 60_000;
const keptMilliseconds = 600_000;

export interface RateTally {
  /** The same metrics; what they count is noted besides. */
  readonly metrics: ReplicationMetrics;
  /** Writes what has moved since the last time. */
  write(
    metadata: MetadataStore,
    clock: Pick<Clock, "now">,
    random: Pick<Random, "uuid">,
  ): Promise<void>;
}

export function rateTally(metrics: ReplicationMetrics): RateTally {
  const moved = new Map<string, { images: number; bytes: number }>();
  const count = (region: string, images: number, bytes: number) => {
    const before = moved.get(region) ?? { images: 0, bytes: 0 };
    moved.set(region, { images: before.images + images, bytes: before.bytes + bytes });
  };
  return {
    metrics: {
      ...metrics,
      attempts: {
        add(value, labels) {
          metrics.attempts.add(value, labels);
          if (labels.outcome === "complete") count(labels.region ?? "", value, 0);
        },
      },
      bytesSent: {
        add(value, labels) {
          metrics.bytesSent.add(value, labels);
          count(labels.region ?? "", 0, value);
        },
      },
    },
    async write(metadata, clock, random) {
      if (moved.size === 0) return;
      const at = clock.now();
      const samples: ReplicationSample[] = [...moved].map(([region, amounts]) => ({
        region,
        at,
        id: random.uuid(),
        ...amounts,
      }));
      moved.clear();
      await metadata.transaction(
        async (tx) => {
          for (const sample of samples) await insertReplicationSample(tx, sample);
          await deleteReplicationSamples(tx, at - keptMilliseconds);
        },
        { durable: false },
      );
    },
  };
}

/** By region; those to which nothing has moved in the last minute are left out. */
export async function replicationRates(db: Queryable, now: number): Promise<Map<string, Rate>> {
  const rows = await selectMoved(db, now - rateWindowMilliseconds);
  const seconds = rateWindowMilliseconds / 1000;
  return new Map(
    rows.map(({ region, images, bytes }) => [
      region,
      { imagesPerSecond: images / seconds, bytesPerSecond: bytes / seconds },
    ]),
  );
}
