import { expect, test } from "bun:test";
import { policyCache } from "./policy-cache.ts";

function setUp(entriesLimit = 10) {
  const waiting: ((value: string) => void)[] = [];
  const loaded: string[] = [];
  const cache = policyCache<string>({
    entriesLimit,
    load(key) {
      loaded.push(key);
      return new Promise((resolve) => waiting.push(resolve));
    },
  });
  return { cache, loaded, answer: (value: string) => waiting.shift()?.(value) };
}

test("a key is loaded once for all who ask, and then there at once", async () => {
  const { cache, loaded, answer } = setUp();
  const asked = [cache.get("a"), cache.get("a")];
  answer("one");
  expect(await Promise.all(asked)).toEqual(["one", "one"]);
  expect(cache.get("a")).toBe("one");
  expect(loaded).toEqual(["a"]);
});

test("what is forgotten while it is read is not remembered", async () => {
  const { cache, loaded, answer } = setUp();
  const before = cache.get("a");
  cache.forget("a");
  const after = cache.get("a");
  answer("old");
  answer("new");
  expect(await before).toBe("old");
  expect(await after).toBe("new");
  expect(cache.get("a")).toBe("new");
  cache.forgetAll();
  const again = cache.get("a");
  cache.forgetAll();
  answer("older");
  expect(await again).toBe("older");
  expect(cache.get("a")).toBeInstanceOf(Promise);
  expect(loaded).toEqual(["a", "a", "a", "a"]);
});

test("a failure is not remembered, and no more than the limit is", async () => {
  let fails = true;
  let loads = 0;
  const cache = policyCache<number>({
    entriesLimit: 2,
    async load(key) {
      loads++;
      if (fails) throw new Error("away");
      return Number(key);
    },
  });
  await expect(Promise.resolve(cache.get("1"))).rejects.toThrow("away");
  await Bun.sleep(0);
  fails = false;
  for (const key of ["1", "2", "3"]) expect(await cache.get(key)).toBe(Number(key));
  expect(loads).toBe(4);
  expect(cache.get("3")).toBe(3);
  expect(cache.get("2")).toBe(2);
  expect(cache.get("1")).toBeInstanceOf(Promise);
});
