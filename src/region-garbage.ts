/** Garbage collection of a region on its schedule, built from the configuration, with its metrics. */
import type { RegistryContext } from "./registry/context.ts";
import { type GarbageCollection, startGarbageCollection } from "./registry/garbage-schedule.ts";
import type { Configuration } from "./runtime/configuration-entries.ts";
import type { Logger } from "./runtime/logger.ts";
import type { Metrics } from "./runtime/metrics.ts";

export interface RegionGarbageOptions {
  readonly configuration: Configuration;
  readonly context: RegistryContext;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** Undefined when it is switched off; `portolan gc` remains. */
export function openGarbageCollection({
  configuration,
  context,
  metrics,
  logger,
}: RegionGarbageOptions): GarbageCollection | undefined {
  const intervalMilliseconds = configuration.garbageCollection.interval.milliseconds;
  if (intervalMilliseconds === 0) return undefined;
  const blobs = metrics.counter({
    name: "garbage_blobs_total",
    help: "Blobs that were removed because no repository linked to them.",
  });
  const bytes = metrics.counter({
    name: "garbage_bytes_total",
    help: "Bytes of the blobs that were removed.",
  });
  const finished = metrics.gauge({
    name: "garbage_collection_finished_seconds",
    help: "When the last complete collection ended, in seconds since the Unix epoch.",
  });
  return startGarbageCollection({
    context,
    intervalMilliseconds,
    logger,
    clock: context.clock,
    random: context.random,
    onReport(report) {
      blobs.series().add(report.blobs);
      bytes.series().add(report.blobsBytes);
      if (!report.complete) return;
      finished.series().set((report.startedAt + report.milliseconds) / 1000);
    },
  });
}
