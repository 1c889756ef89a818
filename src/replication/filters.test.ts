/** Filters against a reading of their rules that takes no short cut. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import * as v from "valibot";
import {
  everyFilterSchema,
  type FilteredImage,
  type FilterType,
  filtersTake,
  looksAtArtifactType,
  prefixFilterSchema,
  type ReplicationFilter,
} from "./filters.ts";

const filter = (filterType: FilterType, text: string): ReplicationFilter => ({
  filter: text,
  filterType,
});
const image = (repository: string, tag?: string, artifactType = "") => ({
  repository,
  tag,
  artifactType,
});

describe("a rule takes", () => {
  const cases: [string, ReplicationFilter[], FilteredImage, boolean][] = [
    ["an exact name", [filter("PORTOLAN_EXACT", "prod")], image("prod"), true],
    ["no longer name", [filter("PORTOLAN_EXACT", "prod")], image("production"), false],
    ["a wildcard", [filter("PORTOLAN_WILDCARD", "team/*/api")], image("team/a/api"), true],
    ["not what is excluded", [filter("PORTOLAN_EXCLUDE", "*-dev")], image("web-dev"), false],
    ["all but what is excluded", [filter("PORTOLAN_EXCLUDE", "*-dev")], image("web"), true],
    [
      "not what is included and excluded",
      [filter("PREFIX_MATCH", "web"), filter("PORTOLAN_EXCLUDE", "*-dev")],
      image("web-dev"),
      false,
    ],
    ["a tag", [filter("PORTOLAN_TAG", "v*")], image("web", "v1"), true],
    ["no other tag", [filter("PORTOLAN_TAG", "v*")], image("web", "latest"), false],
    ["no push by digest where tags are named", [filter("PORTOLAN_TAG", "*")], image("web"), false],
    ["a push by digest", [filter("PORTOLAN_TAG_EXCLUDE", "*-rc*")], image("web"), true],
    [
      "not an excluded tag",
      [filter("PORTOLAN_TAG_EXCLUDE", "*-rc*")],
      image("web", "1-rc2"),
      false,
    ],
    [
      "an artifact type",
      [filter("PORTOLAN_ARTIFACT_TYPE", "application/spdx*")],
      image("web", undefined, "application/spdx+json"),
      true,
    ],
    [
      "repository and tag only together",
      [filter("PREFIX_MATCH", "prod"), filter("PORTOLAN_TAG", "v*")],
      image("dev", "v1"),
      false,
    ],
  ];
  for (const [name, filters, pushed, taken] of cases) {
    test(name, () => expect(filtersTake(filters, pushed)).toBe(taken));
  }

  test("everything when it has no filter", () => {
    expect(filtersTake(undefined, image("web"))).toBe(true);
  });
});

/** Character by character, with backtracking: slow, and plain. */
function naiveWildcard(pattern: string, text: string): boolean {
  if (pattern === "") return text === "";
  if (pattern.startsWith("*")) {
    return (
      naiveWildcard(pattern.slice(1), text) ||
      (text !== "" && naiveWildcard(pattern, text.slice(1)))
    );
  }
  return text !== "" && text[0] === pattern[0] && naiveWildcard(pattern.slice(1), text.slice(1));
}

const matching: Record<FilterType, (filter: string, pushed: FilteredImage) => boolean> = {
  PREFIX_MATCH: (text, { repository }) => repository.slice(0, text.length) === text,
  PORTOLAN_EXACT: (text, { repository }) => repository === text,
  PORTOLAN_WILDCARD: (text, { repository }) => naiveWildcard(text, repository),
  PORTOLAN_EXCLUDE: (text, { repository }) => naiveWildcard(text, repository),
  PORTOLAN_TAG: (text, { tag }) => tag !== undefined && naiveWildcard(text, tag),
  PORTOLAN_TAG_EXCLUDE: (text, { tag }) => tag !== undefined && naiveWildcard(text, tag),
  PORTOLAN_ARTIFACT_TYPE: (text, { artifactType }) => naiveWildcard(text, artifactType),
  PORTOLAN_ARTIFACT_TYPE_EXCLUDE: (text, { artifactType }) => naiveWildcard(text, artifactType),
};

function naiveTake(filters: readonly ReplicationFilter[], pushed: FilteredImage): boolean {
  const some = (...types: FilterType[]) => {
    const chosen = filters.filter(({ filterType }) => types.includes(filterType));
    const hit = chosen.some((one) => matching[one.filterType](one.filter, pushed));
    return { any: chosen.length > 0, hit };
  };
  const repositories = some("PREFIX_MATCH", "PORTOLAN_EXACT", "PORTOLAN_WILDCARD");
  const tags = some("PORTOLAN_TAG");
  const types = some("PORTOLAN_ARTIFACT_TYPE");
  const excluded = some(
    "PORTOLAN_EXCLUDE",
    "PORTOLAN_TAG_EXCLUDE",
    "PORTOLAN_ARTIFACT_TYPE_EXCLUDE",
  );
  if (excluded.hit) return false;
  return [repositories, tags, types].every(({ any, hit }) => !any || hit);
}

const types = Object.keys(matching) as FilterType[];
const anyFilter = fc.record({
  filterType: fc.constantFrom(...types),
  filter: fc.stringMatching(/^[ab*]{1,4}$/),
});
const anyImage = fc.record({
  repository: fc.stringMatching(/^[ab]{1,4}$/),
  tag: fc.option(fc.stringMatching(/^[ab]{1,4}$/), { nil: undefined }),
  artifactType: fc.stringMatching(/^[ab]{0,4}$/),
});

test("any filters decide about any push as the plain reading does, in any order", () => {
  const filters = fc.array(anyFilter, { maxLength: 5 });
  fc.assert(
    fc.property(filters, anyImage, fc.infiniteStream(fc.nat()), (chosen, pushed, chance) => {
      const expected = naiveTake(chosen, pushed);
      expect(filtersTake(chosen, pushed)).toBe(expected);
      const shuffled = chosen
        .map((one) => ({ one, key: chance.next().value ?? 0 }))
        .sort((a, b) => a.key - b.key)
        .map(({ one }) => one);
      expect(filtersTake(shuffled, pushed)).toBe(expected);
      // Whoever does not look up the artifact type may say nothing about it.
      if (!looksAtArtifactType(chosen)) {
        expect(filtersTake(chosen, { ...pushed, artifactType: "" })).toBe(expected);
      }
    }),
    { numRuns: 2000 },
  );
});

describe("schemas", () => {
  test("the extended one takes PREFIX_MATCH exactly as ECR's does", () => {
    const texts = fc.oneof(fc.stringMatching(/^[ab/_*A-]{0,6}$/), fc.string({ maxLength: 300 }));
    fc.assert(
      fc.property(texts, (text) => {
        const one = filter("PREFIX_MATCH", text);
        const plain = v.safeParse(prefixFilterSchema, one);
        const extended = v.safeParse(everyFilterSchema, one);
        expect(extended.success).toBe(plain.success);
        expect(extended.issues?.[0].message).toBe(plain.issues?.[0].message);
      }),
    );
  });

  test("types of our own are refused without the extension, and nonsense with it", () => {
    for (const type of types.filter((each) => each !== "PREFIX_MATCH")) {
      expect(v.is(prefixFilterSchema, filter(type, "web"))).toBe(false);
      expect(v.is(everyFilterSchema, filter(type, "web"))).toBe(true);
      expect(v.is(everyFilterSchema, filter(type, ""))).toBe(false);
      expect(v.is(everyFilterSchema, filter(type, "a b"))).toBe(false);
      expect(v.is(everyFilterSchema, filter(type, "x".repeat(257)))).toBe(false);
    }
    expect(v.is(everyFilterSchema, filter("PORTOLAN_EXACT", "web*"))).toBe(false);
    for (const input of [undefined, null, 1, {}, { filter: "web", filterType: "toString" }]) {
      expect(v.is(everyFilterSchema, input)).toBe(false);
    }
  });
});
