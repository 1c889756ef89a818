/**
 * A process that dies at any of its dealings with the database, before it or after it, and another
 * one that goes on: every event is delivered, in order, and at most the one in the middle twice.
 */
import { expect, test } from "bun:test";
import type { MetadataStore } from "../../src/metadata/metadata-store.ts";
import { sqliteMetadataStore } from "../../src/metadata/sqlite.ts";
import { fileTarget, openEventWorld } from "../support/event-world.ts";

class Crash extends Error {}

/** Dies at the n-th dealing, and stays dead until it is revived. */
function mortal(store: MetadataStore) {
  let left = Number.POSITIVE_INFINITY;
  let dead = false;
  let dealings = 0;
  const step = () => {
    dealings += 1;
    if (dead || --left <= 0) {
      dead = true;
      throw new Crash();
    }
  };
  const mortalStore: MetadataStore = {
    ...store,
    read: {
      dialect: store.read.dialect,
      async all(sql, parameters) {
        step();
        return store.read.all(sql, parameters);
      },
    },
    async transaction(work, options) {
      step();
      const result = await store.transaction(work, options);
      // It was committed, and nobody has heard of it.
      step();
      return result;
    },
  };
  return {
    store: mortalStore,
    dealings: () => dealings,
    dieIn(count: number) {
      left = count;
    },
    revive() {
      dead = false;
      left = Number.POSITIVE_INFINITY;
    },
  };
}

const names = ["a", "b", "c"];

async function life(dieIn: number): Promise<{ lines: string[]; dealings: number; died: boolean }> {
  const metadata = await sqliteMetadataStore({ path: ":memory:", now: 0 });
  const life = mortal(metadata);
  await using world = await openEventWorld({ openMetadata: async () => life.store });
  await world.rule("r", { detail: { eventName: ["CreateRepository"] } }, fileTarget("one"));
  await world.createRepositories(...names);
  const before = life.dealings();
  life.dieIn(dieIn);
  let died = false;
  for (let i = 0; i < 5 && !died; i++) {
    await world.events.tick().catch((error: unknown) => {
      if (!(error instanceof Crash)) throw error;
      died = true;
    });
    await world.events.settled();
    died ||= world.warnings.some((text) => text.startsWith("a turn of an event target failed"));
  }
  const dealings = life.dealings() - before;
  life.revive();
  const next = world.restarted();
  for (let i = 0; i < 5; i++) {
    await next.tick();
    await next.settled();
  }
  const lines = (world.lines.one ?? []).map(
    ({ detail }) => (detail.requestParameters as { repositoryName: string }).repositoryName,
  );
  return { lines, dealings, died };
}

test("a death at any dealing with the database loses no event", async () => {
  const healthy = await life(Number.POSITIVE_INFINITY);
  expect(healthy).toMatchObject({ lines: names, died: false });
  let deaths = 0;
  for (let n = 1; n <= healthy.dealings; n++) {
    const { lines, died } = await life(n);
    if (died) deaths += 1;
    // Repetitions lie side by side.
    expect({ n, lines: lines.filter((name, i) => name !== lines[i - 1]) }).toEqual({
      n,
      lines: names,
    });
    expect(lines.length).toBeLessThanOrEqual(names.length + 1);
  }
  expect(deaths).toBe(healthy.dealings);
  expect(deaths).toBeGreaterThan(20);
});
