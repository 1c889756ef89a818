import { describe, expect, test } from "bun:test";
import { circuit } from "./circuit.ts";

const settings = {
  outagesToOpen: 3,
  probe: { firstMilliseconds: 100, limitMilliseconds: 400 },
};
const random = { next: () => 0.9999 };

describe("a circuit", () => {
  test("opens at the third outage in a row and closes at the first success", () => {
    const one = circuit(settings, random);
    expect([one.failed(0), one.failed(0)]).toEqual([false, false]);
    expect(one.succeeded()).toBe(false);
    expect([one.failed(0), one.failed(0), one.failed(0)]).toEqual([false, false, true]);
    expect(one.open).toBe(true);
    expect(one.succeeded()).toBe(true);
    expect([one.open, one.probeWait(0)]).toEqual([false, 0]);
  });

  test("probes at growing intervals, whose number attempts under way do not change", () => {
    const one = circuit(settings, random);
    for (let i = 0; i < 3; i++) one.failed(0);
    expect(one.probeWait(0)).toBe(100);
    for (let i = 0; i < 20; i++) expect(one.failed(50)).toBe(false);
    expect(one.probeWait(50)).toBe(50);
    let now = 0;
    const waits: number[] = [];
    for (let i = 0; i < 5; i++) {
      now += one.probeWait(now);
      one.failed(now);
      waits.push(one.probeWait(now));
    }
    expect(waits).toEqual([200, 400, 400, 400, 400]);
  });

  test("does not wait for a time that lies behind a clock that was set back", () => {
    const one = circuit(settings, random);
    for (let i = 0; i < 3; i++) one.failed(1_000_000);
    expect(one.probeWait(5)).toBe(0);
  });
});
