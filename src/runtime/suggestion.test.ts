import { expect, test } from "bun:test";
import fc from "fast-check";
import { editDistance, suggestion } from "./suggestion.ts";

const known = ["region", "limits.idle", "PORTOLAN_LISTEN"];

test("finds slips of the fingers and nothing else", () => {
  expect(suggestion("regoin", known)).toBe("region");
  expect(suggestion("REGION", known)).toBe("region");
  expect(suggestion("limits.idel", known)).toBe("limits.idle");
  expect(suggestion("PORTOLAN_LSITEN", known)).toBe("PORTOLAN_LISTEN");
  expect(suggestion("colour", known)).toBeUndefined();
  expect(suggestion("", known)).toBeUndefined();
  expect(suggestion("x".repeat(100_000), known)).toBeUndefined();
});

test("the distance is a distance", () => {
  const word = fc.string({ maxLength: 12, unit: fc.constantFrom("a", "b", "c") });
  fc.assert(
    fc.property(word, word, (a, b) => {
      const distance = editDistance(a, b);
      expect(distance).toBe(editDistance(b, a));
      expect(distance === 0).toBe(a === b);
      expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
      expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
    }),
  );
  expect(editDistance("idle", "idel")).toBe(1);
  expect(editDistance("kitten", "sitting")).toBe(3);
});
