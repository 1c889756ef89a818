/** Counts and times requests, by endpoint. */
import type { RequestRecord } from "./listener.ts";
import { durationBuckets, type Metrics } from "./metrics.ts";

/** What clients may call a method is endless; what we count is not. */
const countedMethods = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

interface EndpointSeries {
  add(record: RequestRecord): void;
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
  const known = new Map<string, EndpointSeries>();

  function create(endpoint: string, method: string, status: number): EndpointSeries {
    const counter = requests.series({ endpoint, method, status: String(status) });
    const histogram = duration.series({ endpoint });
    const receivedBytes = received.series({ endpoint });
    const sentBytes = sent.series({ endpoint });
    return {
      add(record) {
        counter.add(1);
        histogram.observe(record.durationMilliseconds / 1000);
        receivedBytes.add(record.bytesReceived);
        sentBytes.add(record.bytesSent);
      },
    };
  }

  return (record) => {
    const endpoint = record.fields.endpoint ?? "unknown";
    const method = countedMethods.has(record.method) ? record.method : "other";
    const key = `${endpoint} ${method} ${record.status}`;
    let series = known.get(key);
    if (series === undefined) {
      series = create(endpoint, method, record.status);
      known.set(key, series);
    }
    series.add(record);
  };
}
