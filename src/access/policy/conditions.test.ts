/** Every operator, with every way in which values may be there or not. */
import { expect, test } from "bun:test";
import { compileCondition } from "./conditions.ts";
import { parsePolicy } from "./parse-policy.ts";

type Values = Record<string, string | readonly string[]>;

/** Whether `{ operator: { "test:Key": expected } }` holds for a request with these values. */
function holds(operator: string, expected: unknown, values: Values, version = "2012-10-17") {
  const policy = parsePolicy(
    JSON.stringify({
      Version: version,
      Statement: {
        Effect: "Allow",
        Action: "*",
        Resource: "*",
        Condition: { [operator]: { "test:Key": expected } },
      },
    }),
    "identity",
  );
  const [condition] = policy.statements[0]?.conditions ?? [];
  if (condition === undefined) throw new Error("no condition was read");
  const compiled = compileCondition(condition, version === "2012-10-17");
  return compiled((key) => values[key]);
}

const key = (value: string | readonly string[]): Values => ({ "test:key": value });
const noKey: Values = {};

/** Operator, value of the policy, value of the request, result. Negated ones are in the next test. */
const cases: [string, unknown, string, boolean][] = [
  ["StringEquals", "blue", "blue", true],
  ["StringEquals", "blue", "Blue", false],
  ["StringEquals", "b*", "blue", false],
  ["StringEquals", ["red", "blue"], "blue", true],
  ["StringEquals", ["red", "green"], "blue", false],
  ["StringEquals", true, "true", true],
  ["StringEquals", 7, "7", true],
  ["StringEquals", "", "", true],
  ["StringEqualsIgnoreCase", "BLUE", "blue", true],
  ["StringEqualsIgnoreCase", "b*", "blue", false],
  ["StringLike", "b*", "blue", true],
  ["StringLike", "b?ue", "blue", true],
  ["StringLike", "B*", "blue", false],
  ["StringLike", "*", "", true],
  ["stringlike", "b*", "blue", true],
  ["ArnEquals", "arn:aws:iam::*:role/*", "arn:aws:iam::111122223333:role/a/b", true],
  ["ArnLike", "arn:aws:iam::*:role/*", "arn:aws:iam::111122223333:role/a/b", true],
  ["ArnLike", "arn:aws:iam::*", "arn:aws:iam::111122223333:role/a", true],
  ["ArnLike", "arn:aws:*:role/a", "arn:aws:iam::111122223333:role/a", false],
  ["NumericEquals", "7", "7.0", true],
  ["NumericEquals", "7", "seven", false],
  ["NumericLessThan", "7", "6.5", true],
  ["NumericLessThan", "7", "7", false],
  ["NumericLessThanEquals", "7", "7", true],
  ["NumericGreaterThan", "7", "10", true],
  ["NumericGreaterThan", 7, "7", false],
  ["NumericGreaterThanEquals", 7, "7", true],
  ["NumericGreaterThanEquals", "-1e2", "-100", true],
  ["DateEquals", "2027-01-15T08:00:00Z", "2027-01-15T08:00:00.000Z", true],
  ["DateEquals", "2027-01-15T09:00:00+01:00", "2027-01-15T08:00:00Z", true],
  ["DateEquals", "1800000000", "2027-01-15T08:00:00Z", true],
  ["DateLessThan", "2027-01-15", "2027-01-14T23:59:59Z", true],
  ["DateLessThan", "2027-01-15", "2027-01-15T00:00:00Z", false],
  ["DateLessThanEquals", "2027-01-15", "2027-01-15T00:00:00Z", true],
  ["DateGreaterThan", "2027-01-15T08:00Z", "2027-01-15T08:00:00.5Z", true],
  ["DateGreaterThanEquals", "2027-01-15T08:00:00Z", "2027-01-15T08:00:00Z", true],
  ["DateGreaterThan", "2027-01-15", "yesterday", false],
  ["Bool", "true", "true", true],
  ["Bool", true, "TRUE", true],
  ["Bool", "false", "true", false],
  ["BinaryEquals", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", true],
  ["BinaryEquals", "QQ==", "QUE=", false],
  ["IpAddress", "203.0.113.0/24", "203.0.113.9", true],
  ["IpAddress", ["203.0.113.0/24", "2001:db8::/32"], "2001:db8::7", true],
  ["IpAddress", "203.0.113.0/24", "198.51.100.9", false],
  ["IpAddress", "203.0.113.0/24", "not an address", false],
];

const negatedOperators: Record<string, string> = {
  StringEquals: "StringNotEquals",
  StringEqualsIgnoreCase: "StringNotEqualsIgnoreCase",
  StringLike: "StringNotLike",
  ArnEquals: "ArnNotEquals",
  ArnLike: "ArnNotLike",
  NumericEquals: "NumericNotEquals",
  DateEquals: "DateNotEquals",
  IpAddress: "NotIpAddress",
};

test("every operator compares as it says", () => {
  for (const [operator, expected, value, result] of cases) {
    const shown = { operator, expected, value };
    expect({ ...shown, holds: holds(operator, expected, key(value)) }).toEqual({
      ...shown,
      holds: result,
    });
  }
});

test("a negated operator is the opposite, also for several values and for none", () => {
  for (const [operator, expected, value, result] of cases) {
    const negated = negatedOperators[operator];
    if (negated === undefined) continue;
    const shown = { negated, expected, value };
    expect({ ...shown, holds: holds(negated, expected, key(value)) }).toEqual({
      ...shown,
      holds: !result,
    });
    expect(holds(negated, expected, noKey)).toBe(true);
    expect(holds(negated, expected, key(["nothing like it", value]))).toBe(!result);
  }
});

test("a key that is absent does not do, unless IfExists says so", () => {
  for (const [operator, expected, value, result] of cases) {
    expect(holds(operator, expected, noKey)).toBe(false);
    expect(holds(`${operator}IfExists`, expected, noKey)).toBe(true);
    expect(holds(`${operator}IfExists`, expected, key(value))).toBe(result);
  }
});

test("Null asks whether the key is there", () => {
  expect(holds("Null", "true", noKey)).toBe(true);
  expect(holds("Null", true, key("x"))).toBe(false);
  expect(holds("Null", "false", noKey)).toBe(false);
  expect(holds("Null", "false", key("x"))).toBe(true);
  expect(holds("Null", "false", key(""))).toBe(true);
  expect(holds("Null", "true", key([]))).toBe(true);
});

test("the set operators join the values of a request", () => {
  const tags = ["team", "stage"];
  const any = "ForAnyValue:StringEquals";
  const all = "ForAllValues:StringEquals";
  expect(holds(any, ["team", "owner"], key(tags))).toBe(true);
  expect(holds(all, ["team", "owner"], key(tags))).toBe(false);
  expect(holds(all, ["team", "owner", "stage"], key(tags))).toBe(true);
  expect(holds(any, ["owner"], key(tags))).toBe(false);
  // Nothing is among nothing, and everything of nothing is.
  for (const values of [noKey, key([])]) {
    expect(holds(any, ["team"], values)).toBe(false);
    expect(holds(all, ["team"], values)).toBe(true);
    expect(holds("ForAnyValue:StringNotEquals", ["team"], values)).toBe(false);
    expect(holds("ForAllValues:StringNotEquals", ["team"], values)).toBe(true);
    expect(holds("ForAnyValue:StringEqualsIfExists", ["team"], values)).toBe(true);
  }
  expect(holds("ForAnyValue:StringNotEquals", ["team"], key(tags))).toBe(true);
  expect(holds("ForAllValues:StringNotEquals", ["team"], key(tags))).toBe(false);
  expect(holds("ForAllValues:StringNotLike", ["o*"], key(tags))).toBe(true);
  // A single value is a set of one.
  expect(holds(all, ["team"], key("team"))).toBe(true);
  expect(holds("forallvalues:stringlike", ["t*"], key("team"))).toBe(true);
});

test("policy variables stand for the values of other keys, taken literally", () => {
  const with_ = (value: string, values: Values): Values => ({ ...key(value), ...values });
  const like = (value: string, values: Values) =>
    holds("StringLike", "home/${aws:Username}/*", with_(value, values));
  expect(like("home/jo/x", { "aws:username": "jo" })).toBe(true);
  expect(like("home/jo/x", { "aws:username": "j?" })).toBe(false);
  expect(like("home/j?/x", { "aws:username": "j?" })).toBe(true);
  // Nothing is like what has no value; so a negated operator holds.
  expect(like("home//x", {})).toBe(false);
  expect(holds("StringNotEquals", "${aws:username}", with_("", {}))).toBe(true);
  expect(holds("StringEquals", "${aws:username, 'guest'}", with_("guest", {}))).toBe(true);
  expect(
    holds("StringEquals", "${aws:username, 'guest'}", with_("jo", { "aws:username": "jo" })),
  ).toBe(true);
  // Several values are none that a variable could stand for.
  expect(holds("StringEquals", "${aws:TagKeys}", with_("a", { "aws:tagkeys": ["a"] }))).toBe(false);
  expect(holds("StringLike", "${*}${?}${$}", key("*?$"))).toBe(true);
  expect(holds("StringLike", "${*}", key("anything"))).toBe(false);
  expect(
    holds("ArnLike", "arn:aws:iam::${aws:PrincipalAccount}:role/*", {
      ...key("arn:aws:iam::111122223333:role/a"),
      "aws:principalaccount": "111122223333",
    }),
  ).toBe(true);
  // The older version of the language knows no variables.
  expect(holds("StringEquals", "${aws:username}", key("${aws:username}"), "2008-10-17")).toBe(true);
  // What only looks like a variable is text.
  expect(holds("StringEquals", "${", key("${"))).toBe(true);
  expect(holds("StringEquals", "${a b}", key("${a b}"))).toBe(true);
});
