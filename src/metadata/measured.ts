/** Wraps a metadata store so that its commits are counted and timed. */
import type { MetadataStore } from "./metadata-store.ts";

/** The part of a metrics registry that is needed here; `runtime/metrics.ts` has it. */
export interface CommitMetrics {
  counter(options: { name: string; help: string; labels: readonly string[] }): {
    series(labels: Readonly<Record<string, string>>): { add(count: number): void };
  };
  histogram(options: {
    name: string;
    help: string;
    labels: readonly string[];
    buckets: readonly number[];
  }): { series(labels: Readonly<Record<string, string>>): { observe(value: number): void } };
}

/** From 0.1 ms, which is a commit in memory, to 10 s, which is a disk in distress. */
const buckets = [
  0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10,
];

/** @param monotonicNow milliseconds from any beginning */
export function measuredMetadataStore(
  store: MetadataStore,
  metrics: CommitMetrics,
  monotonicNow: () => number,
): MetadataStore {
  const durations = metrics.histogram({
    name: "metadata_transaction_duration_seconds",
    help: "Time of transactions until their result was reported; durable ones wait for the disk.",
    labels: ["durable"],
    buckets,
  });
  const failures = metrics
    .counter({
      name: "metadata_transaction_failures_total",
      help: "Transactions that ended in an error, also those that refused a request.",
      labels: [],
    })
    .series({});
  const durable = durations.series({ durable: "yes" });
  const fast = durations.series({ durable: "no" });
  return {
    name: store.name,
    read: store.read,
    async transaction(work, options) {
      const begin = monotonicNow();
      try {
        return await store.transaction(work, options);
      } catch (error) {
        failures.add(1);
        throw error;
      } finally {
        const seconds = (monotonicNow() - begin) / 1000;
        (options?.durable === false ? fast : durable).observe(seconds);
      }
    },
    close: () => store.close(),
  };
}
