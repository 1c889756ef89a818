import { expect, test } from "bun:test";
import { sharedWork } from "./shared-work.ts";

const live = () => new AbortController().signal;

test("work is done once for all that want it at the same time, and anew afterwards", async () => {
  const shared = sharedWork<number>();
  const gate = Promise.withResolvers<void>();
  let runs = 0;
  const work = async () => {
    await gate.promise;
    return ++runs;
  };
  const both = Promise.all([shared.run("a", live(), work), shared.run("a", live(), work)]);
  gate.resolve();
  expect(await both).toEqual([1, 1]);
  expect(await shared.run("a", live(), work)).toBe(2);
});

test("whoever leaves does not end it for the others; the last one does", async () => {
  const shared = sharedWork<string>();
  const [first, second] = [new AbortController(), new AbortController()];
  let ended: unknown;
  const work = (signal: AbortSignal) =>
    new Promise<string>((_, reject) => {
      signal.addEventListener("abort", () => {
        ended = signal.reason;
        reject(signal.reason);
      });
    });
  const one = shared.run("a", first.signal, work);
  const two = shared.run("a", second.signal, work);
  first.abort(new Error("first left"));
  await expect(one).rejects.toThrow("first left");
  expect(ended).toBeUndefined();
  second.abort(new Error("second left"));
  await expect(two).rejects.toThrow("second left");
  expect(String(ended)).toContain("second left");
  // A third does not join what is being ended.
  expect(await shared.run("a", live(), async () => "anew")).toBe("anew");
});

test("a failure reaches everybody", async () => {
  const shared = sharedWork<never>();
  const failing = async () => {
    throw new Error("broken");
  };
  const results = await Promise.allSettled([
    shared.run("a", live(), failing),
    shared.run("a", live(), failing),
  ]);
  expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
});
