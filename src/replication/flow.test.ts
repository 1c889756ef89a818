import { expect, test } from "bun:test";
import { flowMeter } from "./flow.ts";
import { noMeter, replicationMetrics } from "./metrics.ts";

test("what went to a region in the last minute is summed, and older is forgotten", () => {
  let now = 100_000;
  const { metrics, flow } = flowMeter(replicationMetrics(noMeter), { now: () => now });
  metrics.bytesSent.add(10, { region: "eu-west-1" });
  metrics.attempts.add(1, { region: "eu-west-1", outcome: "complete" });
  metrics.attempts.add(1, { region: "eu-west-1", outcome: "retry" });
  now += 30_000;
  metrics.bytesSent.add(5, { region: "eu-west-1" });
  expect(flow("eu-west-1")).toEqual({ images: 1, bytes: 15 });
  expect(flow("sa-east-1")).toEqual({ images: 0, bytes: 0 });
  now += 40_000;
  expect(flow("eu-west-1")).toEqual({ images: 0, bytes: 5 });
  now -= 3_600_000;
  expect(flow("eu-west-1")).toEqual({ images: 0, bytes: 0 });
});
