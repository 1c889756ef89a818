import { expect, test } from "bun:test";
import { manualClock } from "../../tests/support/manual-clock.ts";
import { startSchedule } from "./schedule.ts";

/** Lets everything that can run now run. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

test("work runs once per interval, and a failure does not end it", async () => {
  const clock = manualClock();
  const errors: string[] = [];
  let turns = 0;
  const work = {
    name: "collection",
    intervalMilliseconds: 1000,
    async run() {
      turns++;
      if (turns === 1) throw new Error("disk full");
    },
  };
  const schedule = startSchedule(clock, [work], ({ name }, error) =>
    errors.push(`${name}: ${(error as Error).message}`),
  );
  await settle();
  expect(turns).toBe(0);
  for (let i = 0; i < 3; i++) {
    clock.advance(1000);
    await settle();
  }
  expect(turns).toBe(3);
  expect(errors).toEqual(["collection: disk full"]);
  await schedule.stop();
  clock.advance(10_000);
  await settle();
  expect(turns).toBe(3);
});

test("a turn is never doubled, and stopping waits for the one that runs and tells it", async () => {
  const clock = manualClock();
  let running = 0;
  let told = false;
  const done = Promise.withResolvers<void>();
  const work = {
    name: "slow",
    intervalMilliseconds: 10,
    async run(signal: AbortSignal) {
      running++;
      signal.addEventListener("abort", () => {
        told = true;
      });
      await done.promise;
    },
  };
  const schedule = startSchedule(clock, [work], () => {});
  for (let i = 0; i < 5; i++) {
    clock.advance(100);
    await settle();
  }
  expect(running).toBe(1);
  let stopped = false;
  const stopping = schedule.stop().then(() => {
    stopped = true;
  });
  await settle();
  expect({ told, stopped }).toEqual({ told: true, stopped: false });
  done.resolve();
  await stopping;
  expect(running).toBe(1);
});
