/** When an alarm is raised and cleared. */
import { expect, test } from "bun:test";
import { type AlarmThresholds, alarmWatch, type Measure } from "./alarms.ts";

const thresholds: AlarmThresholds = {
  "replication-lag": 100,
  "replication-failures": 1,
  "destination-unreachable": undefined,
  "verify-differences": 1,
  "dead-letters": 1,
};

function world(limits = thresholds) {
  const watch = alarmWatch(limits);
  const known = new Map<string, boolean>();
  return (value: number, kind: Measure["kind"] = "replication-lag") => {
    const about = { kind, subject: "eu-west-1/111122223333", account: "111122223333" };
    const alarms = watch.look([{ ...about, value, unit: "seconds" }], known);
    for (const { name, isRaised } of alarms) known.set(name, isRaised);
    return alarms.map(({ isRaised }) => (isRaised ? "raised" : "cleared"));
  };
}

test("two looks in a row raise it, three well below clear it", () => {
  const look = world();
  expect([100, 99, 100, 150].map((value) => look(value))).toEqual([[], [], [], ["raised"]]);
  expect([200, 49, 50, 49, 49, 49].map((value) => look(value))).toEqual([
    ...[[], [], [], [], []],
    ["cleared"],
  ]);
  expect([100, 100].map((value) => look(value))).toEqual([[], ["raised"]]);
});

test("a value that hovers about the threshold does not flap", () => {
  const look = world();
  const changes: string[] = [];
  for (let i = 0; i < 100; i++) changes.push(...look(i % 3 === 0 ? 90 : 110));
  expect(changes).toEqual(["raised"]);
});

test("a count is well again at nothing only", () => {
  const look = world();
  const values = [1, 1, 1, 0, 0, 0];
  expect(values.flatMap((value) => look(value, "dead-letters"))).toEqual(["raised", "cleared"]);
});

test("one that is switched off is not raised", () => {
  const look = world();
  expect([9e9, 9e9, 9e9].flatMap((value) => look(value, "destination-unreachable"))).toEqual([]);
});
