/** Counts and times requests, by endpoint. */
import type { RequestRecord } from "./listener.ts";
import {
  type CounterSeries,
  durationBuckets,
  type HistogramSeries,
  type Metrics,
} from "./metrics.ts";

/** What clients may call a method is endless; what we count is not. */
const countedMethods = ["other", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const methodNumbers = new Map(countedMethods.map((method, number) => [method, number]));

interface EndpointSeries {
  readonly duration: HistogramSeries;
  readonly received: CounterSeries;
  readonly sent: CounterSeries;
  /** By status and method in one number: making a text of them cost more than counting. */
  readonly requests: Map<number, CounterSeries>;
}

export function requestMetrics(metrics: Metrics): (record: RequestRecord) => void {
  const requests = metrics.counter({
    name: "http_requests_total",
    help: "Requests answered.",
    labels: ["endpoint", "method", "status"],
  });
  const duration = metrics.histogram({
    name: "http_request_duration_seconds",
    help: "Time until the response began.",
    labels: ["endpoint"],
    buckets: durationBuckets,
  });
  const received = metrics.counter({
    name: "http_received_bytes_total",
    help: "Bytes of request bodies, where the length was announced or counted.",
    labels: ["endpoint"],
  });
  const sent = metrics.counter({
    name: "http_sent_bytes_total",
    help: "Bytes of response bodies as announced; a client may have taken less.",
    labels: ["endpoint"],
  });
  const endpoints = new Map<string, EndpointSeries>();

  function create(endpoint: string): EndpointSeries {
    const series = {
      duration: duration.series({ endpoint }),
      received: received.series({ endpoint }),
      sent: sent.series({ endpoint }),
      requests: new Map<number, CounterSeries>(),
    };
    endpoints.set(endpoint, series);
    return series;
  }

  return (record) => {
    const endpoint = record.fields.endpoint ?? "unknown";
    const series = endpoints.get(endpoint) ?? create(endpoint);
    const methodNumber = methodNumbers.get(record.method) ?? 0;
    const key = record.status * countedMethods.length + methodNumber;
    let counter = series.requests.get(key);
    if (counter === undefined) {
      const method = countedMethods[methodNumber] ?? "other";
      counter = requests.series({ endpoint, method, status: String(record.status) });
      series.requests.set(key, counter);
    }
    counter.add(1);
    series.duration.observe(record.durationMilliseconds / 1000);
    series.received.add(record.bytesReceived);
    series.sent.add(record.bytesSent);
  };
}
