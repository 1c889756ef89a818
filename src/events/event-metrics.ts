/** What events count. */
import type { Metrics } from "../runtime/metrics.ts";

export interface EventMetrics {
  matched(): void;
  attempted(outcome: "delivered" | "retry" | "dead"): void;
  deadLettersMade(count: number): void;
  deadLettersCut(count: number): void;
}

export function eventMetrics(metrics: Metrics): EventMetrics {
  const matched = metrics
    .counter({ name: "events_matched_total", help: "Events that matched a rule, by rule." })
    .series();
  const attempts = metrics.counter({
    name: "event_delivery_attempts_total",
    help: "Attempts to deliver an event to a target, by outcome.",
    labels: ["outcome"],
  });
  const dead = metrics
    .counter({ name: "event_dead_letters_total", help: "Deliveries that became dead letters." })
    .series();
  const cut = metrics
    .counter({
      name: "event_dead_letters_cut_total",
      help: "Dead letters that were deleted because they were too old or too many.",
    })
    .series();
  return {
    matched: () => matched.add(1),
    attempted(outcome) {
      attempts.series({ outcome }).add(1);
      if (outcome === "dead") dead.add(1);
    },
    deadLettersMade: (count) => dead.add(count),
    deadLettersCut: (count) => cut.add(count),
  };
}
