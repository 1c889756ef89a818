import { expect, test } from "bun:test";
import { matchesWildcard } from "./wildcard.ts";

test.each([
  ["latest", "latest", true],
  ["latest", "latest-1", false],
  ["*", "", true],
  ["v*", "v1", true],
  ["v*", "1v", false],
  ["*-rc*", "v1-rc2", true],
  ["a*b*c", "a-b-c", true],
  ["a*b*c", "acb", false],
  ["ab*ba", "aba", false],
  ["a.c", "abc", false],
])("%s with %s: %p", (pattern, text, matches) => {
  expect(matchesWildcard(pattern, text)).toBe(matches);
});
