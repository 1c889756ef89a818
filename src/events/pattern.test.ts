/** Event patterns: AWS's own examples, and properties against a naive reading of them. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { matches } from "./pattern-match.ts";
import { EventPatternError, parseEventPattern } from "./pattern-syntax.ts";

const matching = (pattern: object, event: unknown) =>
  matches(parseEventPattern(JSON.stringify(pattern)), event);

const event = {
  source: "aws.ecr",
  "detail-type": "ECR Image Action",
  resources: ["arn:a", "arn:b"],
  detail: {
    result: "SUCCESS",
    "repository-name": "prod-web",
    "image-tag": "v1.2",
    count: 10,
    nothing: null,
    flag: true,
    address: "10.0.3.7",
    empty: [],
    members: [
      { name: "a", size: 1 },
      { name: "b", size: 2 },
    ],
  },
};

describe("a pattern", () => {
  const detail = (test: object) => ({ detail: test });
  const cases: [string, object, boolean][] = [
    ["a value", { source: ["aws.ecr"] }, true],
    ["one of several values", { source: ["aws.ec2", "aws.ecr"] }, true],
    ["another value", { source: ["aws.ec2"] }, false],
    ["two fields, one of which differs", { source: ["aws.ecr"], account: ["1"] }, false],
    ["a member of a list", { resources: ["arn:b"] }, true],
    ["a number", detail({ count: [10] }), true],
    ["a number as a text", detail({ count: ["10"] }), false],
    ["null", detail({ nothing: [null] }), true],
    ["null where nothing is", detail({ missing: [null] }), false],
    ["true", detail({ flag: [true] }), true],
    ["a prefix", detail({ "repository-name": [{ prefix: "prod-" }] }), true],
    ["a prefix of another", detail({ "repository-name": [{ prefix: "dev-" }] }), false],
    [
      "a prefix whatever its case",
      detail({ "repository-name": [{ prefix: { "equals-ignore-case": "PROD" } }] }),
      true,
    ],
    ["a suffix", detail({ "repository-name": [{ suffix: "web" }] }), true],
    [
      "a suffix whatever its case",
      detail({ "repository-name": [{ suffix: { "equals-ignore-case": "WEB" } }] }),
      true,
    ],
    ["equality whatever the case", detail({ result: [{ "equals-ignore-case": "success" }] }), true],
    ["a wildcard", detail({ "repository-name": [{ wildcard: "p*w*b" }] }), true],
    ["a wildcard that does not", detail({ "repository-name": [{ wildcard: "p*x*b" }] }), false],
    ["a wildcard without a star", detail({ result: [{ wildcard: "SUCCESS" }] }), true],
    ["anything but a text", detail({ result: [{ "anything-but": "FAILED" }] }), true],
    ["anything but itself", detail({ result: [{ "anything-but": ["SUCCESS"] }] }), false],
    ["anything but what is not there", detail({ missing: [{ "anything-but": "x" }] }), false],
    ["anything but numbers", detail({ count: [{ "anything-but": [9, 11] }] }), true],
    ["anything but a prefix", detail({ result: [{ "anything-but": { prefix: "SUC" } }] }), false],
    [
      "anything but prefixes",
      detail({ result: [{ "anything-but": { prefix: ["A", "B"] } }] }),
      true,
    ],
    ["anything but a suffix", detail({ result: [{ "anything-but": { suffix: "ESS" } }] }), false],
    [
      "anything but a text of any case",
      detail({ result: [{ "anything-but": { "equals-ignore-case": ["success"] } }] }),
      false,
    ],
    [
      "anything but a wildcard",
      detail({ "repository-name": [{ "anything-but": { wildcard: "*-web" } }] }),
      false,
    ],
    ["a range", detail({ count: [{ numeric: [">", 5, "<=", 10] }] }), true],
    ["a range beside it", detail({ count: [{ numeric: [">", 10, "<", 12] }] }), false],
    ["a comparison", detail({ count: [{ numeric: ["=", 10] }] }), true],
    ["a comparison of a text", detail({ result: [{ numeric: ["<", 5] }] }), false],
    ["existence", detail({ "image-tag": [{ exists: true }] }), true],
    ["absence", detail({ "image-digest": [{ exists: false }] }), true],
    ["absence of what is there", detail({ nothing: [{ exists: false }] }), false],
    ["absence in a list that is empty", detail({ empty: [{ exists: false }] }), true],
    ["an address range", detail({ address: [{ cidr: "10.0.0.0/22" }] }), true],
    ["another address range", detail({ address: [{ cidr: "10.0.0.0/23" }] }), false],
    ["an address range of no address", detail({ result: [{ cidr: "0.0.0.0/0" }] }), false],
    ["a member of a list of objects", detail({ members: { name: ["b"], size: [2] } }), true],
    ["members of two objects", detail({ members: { name: ["a"], size: [2] } }), false],
    [
      "one of two alternatives",
      { $or: [{ source: ["aws.ec2"] }, { detail: { count: [10] } }] },
      true,
    ],
    ["neither alternative", { $or: [{ source: ["aws.ec2"] }, { detail: { count: [9] } }] }, false],
    [
      "an alternative and a field that differs",
      { source: ["x"], $or: [{ source: ["aws.ecr"] }, { source: ["y"] }] },
      false,
    ],
    ["several conditions of a field", detail({ count: [1, { numeric: [">", 9] }] }), true],
    ["a name that objects inherit", { constructor: [{ exists: true }] }, false],
  ];
  for (const [what, pattern, expected] of cases) {
    test(`${expected ? "matches" : "does not match"}: ${what}`, () => {
      expect(matching(pattern, event)).toBe(expected);
    });
  }

  const refused: [string, string][] = [
    ["no JSON", "{"],
    ["a list", "[]"],
    ["nothing", "{}"],
    ["a text instead of a list", '{"source":"aws.ecr"}'],
    ["an empty list", '{"source":[]}'],
    ["an empty object", '{"detail":{}}'],
    ["an unknown operator", '{"source":[{"regex":"a"}]}'],
    ["two operators", '{"source":[{"prefix":"a","suffix":"b"}]}'],
    ["a prefix that is a number", '{"source":[{"prefix":1}]}'],
    ["two stars", '{"source":[{"wildcard":"a**"}]}'],
    ["a lost backslash", '{"source":[{"wildcard":"a\\\\b"}]}'],
    ["half a range", '{"n":[{"numeric":[">"]}]}'],
    ["a range that is upside down", '{"n":[{"numeric":[">",9,"<",5]}]}'],
    ["a number beyond the limit", '{"n":[{"numeric":[">",6000000000]}]}'],
    ["no address range", '{"n":[{"cidr":"10.0.0.0/33"}]}'],
    ["exists with a text", '{"n":[{"exists":"true"}]}'],
    ["anything-but of nothing", '{"n":[{"anything-but":[]}]}'],
    ["anything-but of exists", '{"n":[{"anything-but":{"exists":true}}]}'],
    ["one alternative", '{"$or":[{"source":["a"]}]}'],
    ["more than 4096 characters", `{"source":["${"a".repeat(4096)}"]}`],
    ["too deep", `${'{"a":'.repeat(50)}["x"]${"}".repeat(50)}`],
  ];
  for (const [what, text] of refused) {
    test(`is refused: ${what}`, () => {
      expect(() => parseEventPattern(text)).toThrow(EventPatternError);
    });
  }

  test("is refused when its alternatives multiply beyond the limit", () => {
    const list = Array.from({ length: 11 }, (_, i) => ({ a: [i] }));
    const nested = { $or: list, b: { $or: list }, c: { $or: list } };
    expect(() => parseEventPattern(JSON.stringify(nested))).toThrow(/combinations/);
  });
});

describe("properties", () => {
  const letters = fc.string({ unit: fc.constantFrom("a", "b", "*", "\\"), maxLength: 8 });
  const text = fc.string({ unit: fc.constantFrom("a", "b", "*", "\\"), maxLength: 12 });

  test("a wildcard means what a regular expression of it means", () => {
    fc.assert(
      fc.property(fc.array(letters, { minLength: 1, maxLength: 4 }), text, (parts, subject) => {
        const nonEmpty = parts.filter(
          (part, i) => part !== "" || i === 0 || i === parts.length - 1,
        );
        const escaped = nonEmpty.map((part) => part.replace(/[\\*]/g, "\\$&"));
        const expression = nonEmpty.map((part) => part.replace(/[\\*]/g, "\\$&")).join(".*");
        const expected = new RegExp(`^${expression}$`, "s").test(subject);
        expect(matching({ x: [{ wildcard: escaped.join("*") }] }, { x: subject })).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });

  test("of an event the pattern of its own leaves matches it", () => {
    const leaf = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null));
    const key = fc
      .string({ minLength: 1 })
      .filter((name) => name !== "$or" && name !== "__proto__");
    const object = fc.dictionary(key, fc.oneof(leaf, fc.dictionary(key, leaf, { minKeys: 1 })), {
      minKeys: 1,
      maxKeys: 5,
    });
    const patternOf = (value: unknown): unknown =>
      typeof value === "object" && value !== null
        ? Object.fromEntries(
            Object.entries(value).map(([name, member]) => [name, patternOf(member)]),
          )
        : [value];
    fc.assert(
      fc.property(object, (value) => {
        expect(matching(patternOf(value) as object, value)).toBe(true);
      }),
    );
  });

  test("whatever is thrown at the parser, it is read or refused with a reason", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (input) => {
        try {
          parseEventPattern(input);
        } catch (error) {
          expect(error).toBeInstanceOf(EventPatternError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
