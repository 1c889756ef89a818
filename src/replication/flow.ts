/** What went to each destination in the last minute, in memory: for people who watch. */
import type { Clock } from "../runtime/clock.ts";
import type { ReplicationMetrics } from "./metrics.ts";

export interface Flow {
  readonly images: number;
  readonly bytes: number;
}

export interface FlowMeter {
  /** Counts what the metrics are told, and passes it on. */
  readonly metrics: ReplicationMetrics;
  /** The last minute, over all accounts. */
  flow(region: string): Flow;
}

const sliceMilliseconds = 1000;
const slices = 60;

export function flowMeter(metrics: ReplicationMetrics, clock: Pick<Clock, "now">): FlowMeter {
  const regions = new Map<string, Map<number, { images: number; bytes: number }>>();

  function add(region: string, images: number, bytes: number): void {
    const now = Math.floor(clock.now() / sliceMilliseconds);
    const recent = regions.get(region) ?? new Map<number, { images: number; bytes: number }>();
    regions.set(region, recent);
    const slice = recent.get(now) ?? { images: 0, bytes: 0 };
    slice.images += images;
    slice.bytes += bytes;
    recent.set(now, slice);
    for (const at of recent.keys()) {
      // Also of a clock that was set back.
      if (at <= now - slices || at > now) recent.delete(at);
    }
  }

  return {
    metrics: {
      ...metrics,
      attempts: {
        add(count, labels) {
          if (labels.outcome === "complete") add(labels.region ?? "", count, 0);
          metrics.attempts.add(count, labels);
        },
      },
      bytesSent: {
        add(bytes, labels) {
          add(labels.region ?? "", 0, bytes);
          metrics.bytesSent.add(bytes, labels);
        },
      },
    },
    flow(region) {
      const now = Math.floor(clock.now() / sliceMilliseconds);
      const sum = { images: 0, bytes: 0 };
      for (const [at, { images, bytes }] of regions.get(region) ?? []) {
        if (at <= now - slices || at > now) continue;
        sum.images += images;
        sum.bytes += bytes;
      }
      return sum;
    },
  };
}
