/** The comparison of a region with its destinations on its schedule, with its metrics. */
import type { RegistryContext } from "./registry/context.ts";
import type { ReplicationLog } from "./replication/log.ts";
import type { RunningReplication } from "./replication/start-replication.ts";
import {
  type StoredVerification,
  storedVerifications,
} from "./replication/verification/stored-verifications.ts";
import {
  startVerificationSchedule,
  type VerificationSchedule,
} from "./replication/verification/verification-schedule.ts";
import type { Configuration } from "./runtime/configuration-entries.ts";
import type { Metrics } from "./runtime/metrics.ts";

export interface RegionVerificationOptions {
  readonly configuration: Configuration;
  readonly context: RegistryContext;
  readonly replication: RunningReplication;
  readonly metrics: Metrics;
  readonly logger: ReplicationLog;
}

/** Undefined when it is switched off; `portolan verify` remains. */
export async function openVerification(
  options: RegionVerificationOptions,
): Promise<VerificationSchedule | undefined> {
  const { configuration, context, replication, metrics, logger } = options;
  const intervalMilliseconds = configuration.replication.verifyInterval.milliseconds;
  if (intervalMilliseconds === 0) return undefined;
  const labels = ["region", "account"];
  const gauges = {
    differences: metrics.gauge({
      name: "replication_verify_differences",
      help: "Tags, manifests and blobs that the newest comparison found wrong at the destination.",
      labels,
    }),
    onTheWay: metrics.gauge({
      name: "replication_verify_pending",
      help: "Tags and manifests that the newest comparison found to be still on their way.",
      labels,
    }),
    success: metrics.gauge({
      name: "replication_verify_success",
      help: "1 when the newest comparison came to a result, 0 when the destination could not be compared.",
      labels,
    }),
    finished: metrics.gauge({
      name: "replication_verify_finished_seconds",
      help: "When the newest comparison with a result ended, in seconds since the Unix epoch.",
      labels,
    }),
    duration: metrics.gauge({
      name: "replication_verify_duration_seconds",
      help: "How long the newest comparison took.",
      labels,
    }),
    bytes: metrics.gauge({
      name: "replication_verify_wire_bytes",
      help: "Bytes of questions and answers of the newest comparison.",
      labels,
    }),
  };
  // What an earlier process, another node or a command has found is shown until there is newer.
  show(await storedVerifications(context.metadata.read));
  return startVerificationSchedule({
    context,
    verify: (verification) => replication.verify(verification),
    isComparable: (destination) => replication.isComparable(destination),
    intervalMilliseconds,
    log: logger,
    onOutcome: (destination, outcome) => show([{ destination, outcome }]),
  });

  function show(outcomes: readonly Pick<StoredVerification, "destination" | "outcome">[]): void {
    for (const { destination, outcome } of outcomes) {
      const series = { region: destination.region, account: destination.registryId };
      gauges.success.series(series).set("report" in outcome ? 1 : 0);
      if (!("report" in outcome)) continue;
      const { report } = outcome;
      gauges.differences.series(series).set(report.wrong);
      gauges.onTheWay.series(series).set(report.onTheWay);
      gauges.finished.series(series).set((report.startedAt + report.milliseconds) / 1000);
      gauges.duration.series(series).set(report.milliseconds / 1000);
      gauges.bytes.series(series).set(report.wireBytes);
    }
  }
}
