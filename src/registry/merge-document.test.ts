import { expect, test } from "bun:test";
import fc from "fast-check";
import { formatHybridTimestamp } from "./hybrid-clock.ts";
import { type DocumentState, isNewer } from "./merge-document.ts";

/** Few versions and few values, so that the same ones meet, also with different content. */
const state: fc.Arbitrary<DocumentState> = fc.record({
  clock: fc.nat(3).map((counter) => formatHybridTimestamp(1, counter)),
  origin: fc.constantFrom("eu-west-1", "us-east-1"),
  value: fc.constantFrom('{"a":1}', '{"a":2}', null),
  owner: fc.constantFrom("", "anna"),
});

const merged = (states: readonly DocumentState[]) =>
  states.reduce<DocumentState | undefined>(
    (local, incoming) => (isNewer(incoming, local) ? incoming : local),
    undefined,
  );

test("regions agree, in whatever order and however often documents arrive", () => {
  fc.assert(
    fc.property(
      fc
        .array(state, { minLength: 1, maxLength: 8 })
        .chain((states) =>
          fc.tuple(
            fc.constant(states),
            fc.shuffledSubarray(states, { minLength: states.length }),
            fc.array(fc.constantFrom(...states), { maxLength: 8 }),
          ),
        ),
      ([states, shuffled, again]) => {
        const expected = merged(states);
        expect(merged([...again, ...shuffled])).toEqual(expected);
        expect(merged([...shuffled, ...again])).toEqual(expected);
      },
    ),
  );
});

test("what is here already is no news", () => {
  fc.assert(fc.property(state, (one) => expect(isNewer(one, { ...one })).toBe(false)));
});

test("a newer version wins, and a deletion counts like any other", () => {
  const version = (counter: number) => formatHybridTimestamp(1, counter);
  const old = { clock: version(1), origin: "us-east-1", value: "{}", owner: "" };
  const deleted = { ...old, clock: version(2), origin: "eu-west-1", value: null };
  expect(isNewer(deleted, old)).toBe(true);
  expect(isNewer(old, deleted)).toBe(false);
  expect(isNewer({ ...old, clock: version(3) }, deleted)).toBe(true);
});
