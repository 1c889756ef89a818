/**
 * The numbers of replication. The instruments are made by a meter that is passed in, so that this
 * folder knows no metrics library.
 */

export type Labels = Readonly<Record<string, string>>;

export interface Counter {
  add(value: number, labels: Labels): void;
}
export interface Gauge {
  set(value: number, labels: Labels): void;
}
export interface Histogram {
  observe(value: number, labels: Labels): void;
}

export interface InstrumentDescription {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
}

export interface Meter {
  counter(description: InstrumentDescription): Counter;
  gauge(description: InstrumentDescription): Gauge;
  histogram(
    description: InstrumentDescription & { readonly buckets: readonly number[] },
  ): Histogram;
}

export interface ReplicationMetrics {
  /** Attempts that ended: outcome is complete, deferred, retry, failed, released or lost. */
  readonly attempts: Counter;
  readonly failures: Counter;
  readonly bytesSent: Counter;
  readonly bytesReceived: Counter;
  readonly offersApplied: Counter;
  readonly pushToPullable: Histogram;
  readonly circuitOpen: Gauge;
  readonly paused: Gauge;
  readonly lag: Gauge;
  readonly backlogImages: Gauge;
  readonly backlogBytes: Gauge;
  readonly failedImages: Gauge;
}

export function replicationMetrics(meter: Meter): ReplicationMetrics {
  const destination = ["region", "account"];
  return {
    attempts: meter.counter({
      name: "portolan_replication_attempts_total",
      help: "Attempts to replicate an image, by how they ended.",
      labels: ["region", "outcome"],
    }),
    failures: meter.counter({
      name: "portolan_replication_failures_total",
      help: "Attempts that failed, by failure code and side.",
      labels: ["region", "code", "side"],
    }),
    bytesSent: meter.counter({
      name: "portolan_replication_sent_bytes_total",
      help: "Bytes of blobs sent to a destination; those lost on the way included.",
      labels: ["region"],
    }),
    bytesReceived: meter.counter({
      name: "portolan_replication_received_bytes_total",
      help: "Bytes of streamed blobs received from a source.",
      labels: ["source"],
    }),
    offersApplied: meter.counter({
      name: "portolan_replication_applied_total",
      help: "Images applied here, by source and by what became of the tag.",
      labels: ["source", "tag"],
    }),
    pushToPullable: meter.histogram({
      name: "portolan_replication_push_to_pullable_seconds",
      help: "From the push at the source until the destination had applied the image.",
      labels: ["region"],
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 86400],
    }),
    circuitOpen: meter.gauge({
      name: "portolan_replication_circuit_open",
      help: "1 while a destination is treated as out of reach.",
      labels: ["region"],
    }),
    paused: meter.gauge({
      name: "portolan_replication_paused",
      help: "1 while an operator has paused a destination.",
      labels: ["region"],
    }),
    lag: meter.gauge({
      name: "portolan_replication_lag_seconds",
      help: "Age of the oldest image that has not arrived; 0 without backlog.",
      labels: destination,
    }),
    backlogImages: meter.gauge({
      name: "portolan_replication_backlog_images",
      help: "Images that have not arrived yet.",
      labels: destination,
    }),
    backlogBytes: meter.gauge({
      name: "portolan_replication_backlog_bytes",
      help: "At most so many bytes of blobs are still to be sent.",
      labels: destination,
    }),
    failedImages: meter.gauge({
      name: "portolan_replication_failed_images",
      help: "Images that will not arrive without an operator or a new push.",
      labels: destination,
    }),
  };
}

/** Measures nothing. */
export const noMeter: Meter = {
  counter: () => ({ add() {} }),
  gauge: () => ({ set() {} }),
  histogram: () => ({ observe() {} }),
};
