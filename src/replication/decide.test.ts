import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { compareVersions, formatHybridTimestamp } from "../registry/hybrid-clock.ts";
import { decide, isSplit, type TagState } from "./decide.ts";

/** Few values each, so that equal clocks, origins and digests meet often. */
const state: fc.Arbitrary<TagState> = fc.record({
  kind: fc.constantFrom("tag", "tombstone"),
  digest: fc.constantFrom("sha256:a", "sha256:b", "sha256:c"),
  version: fc.record({
    clock: fc.tuple(fc.nat(3), fc.nat(2)).map(([at, count]) => formatHybridTimestamp(at, count)),
    origin: fc.constantFrom("eu-west-1", "us-east-1"),
  }),
});

const apply = (local: TagState | undefined, incoming: TagState): TagState =>
  local === undefined || decide(local, incoming) === "accept" ? incoming : local;

const applyAll = (states: readonly TagState[]): TagState | undefined =>
  states.reduce<TagState | undefined>(apply, undefined);

describe("decide", () => {
  test("ends the same in whatever order states arrive, and however often", () => {
    fc.assert(
      fc.property(
        fc
          .array(state, { minLength: 1, maxLength: 8 })
          .chain((states) =>
            fc.tuple(
              fc.constant(states),
              fc.shuffledSubarray(states, { minLength: states.length }),
              fc.shuffledSubarray(states),
            ),
          ),
        ([states, shuffled, repeated]) => {
          expect(applyAll([...shuffled, ...repeated])).toEqual(applyAll(states));
        },
      ),
    );
  });

  test("never goes back to an older version", () => {
    fc.assert(
      fc.property(state, state, (local, incoming) => {
        const after = apply(local, incoming);
        expect(compareVersions(after.version, local.version)).toBeGreaterThanOrEqual(0);
        expect(compareVersions(after.version, incoming.version)).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test("calls only equal states the same, and says when a version was used twice", () => {
    fc.assert(
      fc.property(state, state, (local, incoming) => {
        const equal = JSON.stringify(local) === JSON.stringify(incoming);
        expect(decide(local, incoming) === "same").toBe(equal);
        const version = compareVersions(local.version, incoming.version) === 0;
        expect(isSplit(local, incoming)).toBe(version && !equal);
      }),
    );
  });

  test("takes anything where nothing is", () => {
    fc.assert(fc.property(state, (incoming) => decide(undefined, incoming) === "accept"));
  });
});
