import { expect, test } from "bun:test";
import fc from "fast-check";
import { semaphore } from "./semaphore.ts";

const live = () => new AbortController().signal;

test("never lets more through than it has places, and loses none", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.boolean(), { maxLength: 20 }),
      async (places, leaves) => {
        const one = semaphore(places);
        let inside = 0;
        let most = 0;
        await Promise.all(
          leaves.map(async (leaving) => {
            const controller = new AbortController();
            const turn = one.acquire(controller.signal);
            if (leaving) controller.abort(new Error("left"));
            const release = await turn.catch(() => undefined);
            if (release === undefined) return;
            most = Math.max(most, ++inside);
            await Promise.resolve();
            inside--;
            release();
            release();
          }),
        );
        expect(most).toBeLessThanOrEqual(places);
        expect(one.free).toBe(places);
      },
    ),
  );
});

test("serves those who wait in order; nobody passes them", async () => {
  const one = semaphore(1);
  const release = await one.acquire(live());
  const order: string[] = [];
  const waiting = ["a", "b"].map(async (name) => {
    const leave = await one.acquire(live());
    order.push(name);
    leave();
  });
  expect(one.tryAcquire()).toBeUndefined();
  release();
  await Promise.all(waiting);
  expect(order).toEqual(["a", "b"]);
  expect(one.tryAcquire()).toBeDefined();
});
