/** A few seeds on every run of the tests; `npm run test:simulation` has thousands. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { mutants } from "./mutants.ts";
import { simulate } from "./simulate.ts";

setDefaultTimeout(120_000);

test("forty seeds keep every promise", async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const { violation } = await simulate(seed);
    expect({ again: `npm run sim -- --seed ${seed}`, violation }).toEqual({
      again: `npm run sim -- --seed ${seed}`,
      violation: undefined,
    });
  }
});

test("a seed is a run: the same events in the same order", async () => {
  for (const seed of [2, 3, 20, 31, 40]) {
    const [first, second] = [await simulate(seed), await simulate(seed)];
    expect([second.hash, second.events]).toEqual([first.hash, first.events]);
  }
});

test("seeds that once found something", async () => {
  const file = readFileSync(join(import.meta.dir, "seeds.txt"), "utf8");
  for (const [, seed = ""] of file.matchAll(/^(\d+)/gm)) {
    expect((await simulate(Number(seed))).violation).toBeUndefined();
  }
});

test("every way of breaking the engine still applies to it", () => {
  for (const { name, file, find } of mutants) {
    const text = readFileSync(join(import.meta.dir, "../..", file), "utf8");
    expect([name, text.split(find).length]).toEqual([name, 2]);
  }
});
