/** The numbers of the documents of the installation on their way. */
import type { Counter, Gauge, Meter } from "../metrics.ts";

export interface DocumentMetrics {
  readonly received: Counter;
  readonly sent: Counter;
  readonly behind: Gauge;
}

export function documentMetrics(meter: Meter): DocumentMetrics {
  return {
    received: meter.counter({
      name: "portolan_documents_received_total",
      help: "Identities and chart entries that another region sent, by what became of them.",
      labels: ["source", "outcome"],
    }),
    sent: meter.counter({
      name: "portolan_documents_sent_total",
      help: "Identities and chart entries sent to another region; those it had already included.",
      labels: ["region"],
    }),
    behind: meter.gauge({
      name: "portolan_documents_behind",
      help: "1 while another region does not have every identity and chart entry of this one.",
      labels: ["region"],
    }),
  };
}
