import { describe, expect, test } from "bun:test";
import { metricsRegistry } from "./metrics.ts";
import { requestMetrics } from "./request-metrics.ts";

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A strict reader of the text form: what it does not know is an error. */
function parse(text: string): Sample[] {
  expect(text).toEndWith("\n");
  const types = new Map<string, string>();
  const samples: Sample[] = [];
  const seen = new Set<string>();
  for (const line of text.trimEnd().split("\n")) {
    const type = /^# TYPE ([a-z_:][a-z0-9_:]*) (counter|gauge|histogram)$/.exec(line);
    if (type !== null) types.set(type[1] ?? "", type[2] ?? "");
    if (/^# (HELP|TYPE) /.test(line)) continue;
    const sample =
      /^([a-z_:][a-z0-9_:]*)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)$/.exec(line);
    if (sample === null) throw new Error(`not a sample: ${line}`);
    const [, name = "", labelText = "", value] = sample;
    expect(types.has(name.replace(/_(bucket|sum|count)$/, "")) || types.has(name)).toBe(true);
    const series = `${name}{${labelText}}`;
    expect(seen.has(series)).toBe(false);
    seen.add(series);
    const labels = Object.fromEntries(
      [...labelText.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)].map((match) => [
        match[1] ?? "",
        (match[2] ?? "").replace(/\\(.)/g, (_, escaped) => (escaped === "n" ? "\n" : escaped)),
      ]),
    );
    samples.push({ name, labels, value: Number(value) });
  }
  return samples;
}

describe("the text", () => {
  test("has counters, gauges and histograms with their labels", async () => {
    const metrics = metricsRegistry();
    const pulls = metrics.counter({ name: "pulls_total", help: "Pulls.", labels: ["endpoint"] });
    pulls.series({ endpoint: "get-blob" }).add(2);
    pulls.series({ endpoint: "get-blob" }).add(1);
    metrics.gauge({ name: "open", help: "Open." }).series().set(-1.5);
    const seconds = metrics
      .histogram({ name: "seconds", help: "Time.", buckets: [0.1, 1] })
      .series();
    for (const value of [0.05, 0.1, 0.5, 7]) seconds.observe(value);
    expect(parse(await metrics.text())).toEqual([
      { name: "portolan_pulls_total", labels: { endpoint: "get-blob" }, value: 3 },
      { name: "portolan_open", labels: {}, value: -1.5 },
      { name: "portolan_seconds_bucket", labels: { le: "0.1" }, value: 2 },
      { name: "portolan_seconds_bucket", labels: { le: "1" }, value: 3 },
      { name: "portolan_seconds_bucket", labels: { le: "+Inf" }, value: 4 },
      { name: "portolan_seconds_sum", labels: {}, value: 7.65 },
      { name: "portolan_seconds_count", labels: {}, value: 4 },
    ]);
  });

  test("escapes what labels may hold", async () => {
    const metrics = metricsRegistry();
    const value = 'a"b\\c\nd';
    metrics
      .counter({ name: "x_total", help: "a\nb", labels: ["l"] })
      .series({ l: value })
      .add(1);
    expect(parse(await metrics.text())[0]?.labels).toEqual({ l: value });
  });

  test("a gauge is collected each time; one that fails leaves the others", async () => {
    const errors: unknown[] = [];
    const metrics = metricsRegistry((error) => errors.push(error));
    let calls = 0;
    metrics.gauge({ name: "broken", help: "Broken." }, () => Promise.reject(new Error("no")));
    metrics.gauge({ name: "calls", help: "Calls." }, (gauge) => gauge.series().set(++calls));
    await metrics.text();
    expect(parse(await metrics.text())).toEqual([{ name: "portolan_calls", labels: {}, value: 2 }]);
    expect(errors).toHaveLength(2);
  });
});

describe("mistakes in the program", () => {
  test("are refused where they are made", () => {
    const metrics = metricsRegistry();
    const counter = metrics.counter({ name: "a_total", help: "A.", labels: ["state"] });
    expect(() => metrics.gauge({ name: "a_total", help: "A." })).toThrow("registered twice");
    expect(() => counter.series({})).toThrow("has the labels state");
    expect(() => counter.series({ stat: "x" })).toThrow("needs the label state");
    expect(() => metrics.gauge({ name: "Bad-Name", help: "" })).toThrow("not a name");
  });

  test("endless label values fill no memory", async () => {
    const metrics = metricsRegistry();
    const counter = metrics.counter({ name: "a_total", help: "A.", labels: ["l"] });
    for (let i = 0; i < 5000; i++) counter.series({ l: `${i}` }).add(1);
    expect(parse(await metrics.text()).length).toBe(2000);
  });
});

test("requests are counted by endpoint, method and status, whatever clients invent", async () => {
  const metrics = metricsRegistry();
  const count = requestMetrics(metrics);
  const record = {
    requestId: "1",
    url: "/v2/",
    bytesReceived: 10,
    bytesSent: 20,
    durationMilliseconds: 3,
    hasCredentials: true,
    clientAddress: () => "127.0.0.1",
  };
  count({ ...record, method: "GET", status: 200, fields: { endpoint: "get-manifest" } });
  count({ ...record, method: "GET", status: 200, fields: { endpoint: "get-manifest" } });
  count({ ...record, method: "BREW", status: 405, fields: {} });
  const samples = parse(await metrics.text());
  const requests = samples.filter(({ name }) => name === "portolan_http_requests_total");
  expect(requests.map(({ labels, value }) => [labels, value])).toEqual([
    [{ endpoint: "get-manifest", method: "GET", status: "200" }, 2],
    [{ endpoint: "unknown", method: "other", status: "405" }, 1],
  ]);
  const value = (name: string) =>
    samples.find((sample) => sample.name === name && sample.labels.endpoint === "get-manifest")
      ?.value;
  expect(value("portolan_http_received_bytes_total")).toBe(20);
  expect(value("portolan_http_sent_bytes_total")).toBe(40);
  expect(value("portolan_http_request_duration_seconds_count")).toBe(2);
});
