/** What the queries on events, dead letters and alarms promise. */
import { describe, expect, test } from "bun:test";
import * as alarms from "../../src/metadata/queries/alarm-states.ts";
import * as letters from "../../src/metadata/queries/event-dead-letters.ts";
import * as deliveries from "../../src/metadata/queries/event-deliveries.ts";
import { account, otherAccount, type QuerySuite } from "./query-suite.ts";

export function eventQueriesContract(suite: QuerySuite): void {
  const q = suite.record({ ...alarms, ...letters, ...deliveries });
  const { transaction } = suite;
  const read = () => suite.store.read;
  const now = 1_700_000_000_000;
  let lanes = 0;
  const newLane = () => ({ account, rule: `rule-${++lanes}`, target: "t" });
  const delivery = (lane: deliveries.LaneKey, sequence: number, part = 0) => ({
    ...{ ...lane, sequence, part, created_at: now },
    event: `{"sequence":${sequence}}`,
  });
  const fill = (lane: deliveries.LaneKey, sequences: readonly number[]) =>
    transaction(async (tx) => {
      const rows = sequences.map((sequence) => delivery(lane, sequence));
      const count = await q.insertDeliveries(tx, rows);
      return q.addWaiting(tx, lane, { count, now });
    });
  const claim = (more: Partial<Parameters<typeof deliveries.claimLanes>[1]> = {}) =>
    transaction((tx) =>
      q.claimLanes(tx, {
        ...{ now, latest: now + 1e9, lease: "mine", leaseUntil: now + 60_000, limit: 100 },
        ...more,
      }),
    );
  const laneOf = async ({ rule }: deliveries.LaneKey) =>
    (await q.selectLanes(read(), account)).find((row) => row.rule === rule);

  describe("the position of events", () => {
    test("is absent at first and never goes back", async () => {
      expect(await q.selectEventPosition(read())).toBeUndefined();
      await transaction((tx) => q.advanceEventPosition(tx, 10));
      await transaction((tx) => q.advanceEventPosition(tx, 7));
      expect(await q.selectEventPosition(read())).toBe(10);
      expect(await transaction((tx) => q.holdEventPosition(tx))).toBe(10);
    });
  });

  describe("lanes", () => {
    test("deliver in the order of the journal, under a lease", async () => {
      const lane = newLane();
      expect(await fill(lane, [12, 9, 101])).toBe(3);
      expect(await fill(lane, [9])).toBe(3);
      expect(await q.hasDueLanes(read(), { now, latest: now + 1e9 })).toBe(true);
      const claimed = (await claim()).find(({ rule }) => rule === lane.rule);
      expect(claimed).toMatchObject({ waiting: 3, attempts: 0, lease: "mine" });
      expect((await claim({ lease: "other" })).some(({ rule }) => rule === lane.rule)).toBe(false);
      const outcome = {
        waitingLess: 1,
        dueAt: now,
        attempts: 0,
        leaseUntil: now + 9,
        now,
      } as const;
      for (const expected of [9, 12, 101]) {
        const row = await q.selectOldestDelivery(read(), lane);
        expect(row).toEqual(delivery(lane, expected));
        if (row === undefined) throw new Error("nothing waits");
        const recorded = await transaction(async (tx) => {
          await q.deleteDelivery(tx, row);
          return q.updateLane(tx, lane, "mine", outcome);
        });
        expect(recorded).toBe(true);
      }
      expect(await laneOf(lane)).toMatchObject({ waiting: 0, delivered_at: now });
      expect(await transaction((tx) => q.updateLane(tx, lane, "stranger", outcome))).toBe(false);
    });

    test("remember since when they fail, and forget it with the next success", async () => {
      const lane = newLane();
      await fill(lane, [1]);
      await claim();
      const failure = { code: "timeout", text: "too slow" };
      const fail = (at: number) =>
        transaction((tx) =>
          q.updateLane(tx, lane, "mine", {
            ...{ waitingLess: 0, dueAt: now + 500, attempts: 1, leaseUntil: 0, failure, now: at },
          }),
        );
      await fail(now + 1);
      await fail(now + 2);
      expect(await laneOf(lane)).toMatchObject({
        ...{ failing_since: now + 1, failure_code: "timeout", failure_text: "too slow" },
        ...{ due_at: now + 500, attempts: 1, delivered_at: null },
      });
      expect((await claim()).some(({ rule }) => rule === lane.rule)).toBe(false);
      // A due time beyond all reason is due now.
      const soon = await claim({ latest: now + 400 });
      expect(soon.some(({ rule }) => rule === lane.rule)).toBe(true);
      await transaction((tx) =>
        q.updateLane(tx, lane, "mine", {
          ...{ waitingLess: 0, dueAt: now, attempts: 0, leaseUntil: 0, now: now + 3 },
        }),
      );
      expect(await laneOf(lane)).toMatchObject({ failing_since: null, failure_code: null });
    });

    test("are released, and all leases end at a start", async () => {
      const lane = newLane();
      await fill(lane, [1]);
      await claim();
      await transaction((tx) => q.releaseLane(tx, lane, "stranger"));
      expect((await laneOf(lane))?.lease_until).toBe(now + 60_000);
      await transaction((tx) => q.releaseLane(tx, lane, "mine"));
      expect((await laneOf(lane))?.lease_until).toBe(0);
      await claim();
      await transaction((tx) => q.endLaneLeases(tx));
      expect(await laneOf(lane)).toMatchObject({ lease: "", lease_until: 0 });
    });

    test("lose their oldest when they are too long, and everything with their target", async () => {
      const lane = newLane();
      await fill(
        lane,
        Array.from({ length: 120 }, (_, i) => i + 1),
      );
      const taken = await transaction((tx) => q.takeOldestDeliveries(tx, lane, 2));
      expect(taken.map(({ sequence }) => sequence)).toEqual([1, 2]);
      expect((await laneOf(lane))?.waiting).toBe(118);
      expect(await transaction((tx) => q.deleteLane(tx, lane))).toBe(118);
      expect(await laneOf(lane)).toBeUndefined();
      expect(await q.selectOldestDelivery(read(), lane)).toBeUndefined();
      expect(await q.selectLanes(read(), otherAccount)).toEqual([]);
    });
  });

  describe("dead letters", () => {
    const letter = (lane: deliveries.LaneKey, id: string, failed_at: number) => ({
      ...{ ...delivery(lane, 5), id, failed_at, attempts: 3, code: "timeout", reason: "slow" },
    });

    test("are listed by age in pages, found, and deleted by one", async () => {
      const lane = newLane();
      const rows = [letter(lane, "b", now), letter(lane, "a", now), letter(lane, "c", now - 1)];
      await transaction(async (tx) => {
        for (const row of rows) await q.insertDeadLetter(tx, row);
      });
      const page = { account, rule: lane.rule, limit: 2 };
      const first = await q.selectDeadLetters(read(), page);
      expect(first.map(({ id }) => id)).toEqual(["c", "a"]);
      const after = { failedAt: now, id: "a" };
      const second = await q.selectDeadLetters(read(), { ...page, after });
      expect(second.map(({ id }) => id)).toEqual(["b"]);
      expect(await q.selectDeadLetters(read(), { account: otherAccount, limit: 9 })).toEqual([]);
      expect(await q.selectDeadLetter(read(), "a")).toEqual(rows[1]);
      expect(await transaction((tx) => q.deleteDeadLetter(tx, "a"))).toEqual(rows[1]);
      expect(await transaction((tx) => q.deleteDeadLetter(tx, "a"))).toBeUndefined();
      const counts = await q.countDeadLetters(read());
      const count = counts.find(({ rule }) => rule === lane.rule);
      expect(Number(count?.letters)).toBe(2);
    });

    test("are cut by count and by age", async () => {
      const lane = newLane();
      await transaction(async (tx) => {
        for (let i = 0; i < 5; i++) await q.insertDeadLetter(tx, letter(lane, `k${i}`, now + i));
      });
      expect(await transaction((tx) => q.trimDeadLetters(tx, lane, 3))).toBe(2);
      const left = await q.selectDeadLetters(read(), { rule: lane.rule, limit: 9 });
      expect(left.map(({ id }) => id)).toEqual(["k2", "k3", "k4"]);
      expect(await transaction((tx) => q.expireDeadLetters(tx, now + 4))).toBeGreaterThanOrEqual(2);
      const kept = await q.selectDeadLetters(read(), { rule: lane.rule, limit: 9 });
      expect(kept.map(({ id }) => id)).toEqual(["k4"]);
    });
  });

  test("an alarm changes its state once", async () => {
    const row = { name: "dead-letters", account, state: "ALARM", since: now, reason: "3 letters" };
    expect(await transaction((tx) => q.changeAlarmState(tx, row))).toBe(true);
    expect(await transaction((tx) => q.changeAlarmState(tx, { ...row, since: now + 1 }))).toBe(
      false,
    );
    expect(await q.selectAlarmStates(read())).toEqual([row]);
    expect(await transaction((tx) => q.changeAlarmState(tx, { ...row, state: "OK" }))).toBe(true);
  });
}
