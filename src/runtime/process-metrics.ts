/** Metrics of the process itself. */
import type { Metrics } from "./metrics.ts";

export interface ProcessDescription {
  readonly version: string;
  readonly region: string;
  readonly monotonicNow: () => number;
}

export function registerProcessMetrics(metrics: Metrics, description: ProcessDescription): void {
  const { version, region, monotonicNow } = description;
  metrics
    .gauge({
      name: "build_info",
      help: "Always 1; the labels say what runs.",
      labels: ["version", "region", "runtime"],
    })
    .series({ version, region, runtime: `bun ${Bun.version}` })
    .set(1);
  metrics.gauge(
    { name: "process_resident_memory_bytes", help: "Resident memory of the process." },
    (gauge) => gauge.series().set(process.memoryUsage.rss()),
  );
  metrics.gauge({ name: "process_heap_bytes", help: "Heap in use by the program." }, (gauge) =>
    gauge.series().set(process.memoryUsage().heapUsed),
  );
  metrics.gauge(
    { name: "process_cpu_seconds", help: "Processor time used since the start." },
    (gauge) => {
      const { user, system } = process.cpuUsage();
      gauge.series().set((user + system) / 1e6);
    },
  );
  const started = monotonicNow();
  metrics.gauge({ name: "process_uptime_seconds", help: "Time since the start." }, (gauge) =>
    gauge.series().set((monotonicNow() - started) / 1000),
  );
}
