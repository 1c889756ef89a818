import { expect, test } from "bun:test";
import fc from "fast-check";
import { arnGlob } from "./arn-pattern.ts";
import { glob, globTokens } from "./glob.ts";

/** Few letters, so that patterns and texts meet. */
const pattern = fc.string({ unit: fc.constantFrom("a", "b", "/", "*", "?"), maxLength: 12 });
const text = fc.string({ unit: fc.constantFrom("a", "b", "/", "*"), maxLength: 16 });

function asRegularExpression(source: string): RegExp {
  const escaped = source.replace(/[/.]/g, "\\$&").replaceAll("*", "[^]*").replaceAll("?", "[^]");
  return new RegExp(`^${escaped}$`);
}

test("a pattern is like what the same regular expression is like", () => {
  fc.assert(
    fc.property(pattern, text, (source, value) => {
      expect(glob(source)(value)).toBe(asRegularExpression(source).test(value));
    }),
    { numRuns: 3000 },
  );
});

test("a hostile pattern does not take longer than its length times the text's", () => {
  const hostile = glob(`${"*a".repeat(1000)}b`);
  // A regular expression of the same pattern would still run when the sun goes out.
  expect(hostile("a".repeat(2000))).toBe(false);
});

test("a wildcard stays within its part of an ARN, and crosses slashes in the last", () => {
  const arn = "arn:aws:ecr:us-east-1:111122223333:repository/team/web";
  const like = (source: string, value = arn) => arnGlob(globTokens(source))(value);
  for (const source of [
    "*",
    "**",
    arn,
    "arn:aws:ecr:*:*:repository/*",
    "arn:aws:ecr:us-east-1:111122223333:repository/*",
    "arn:aws:ecr:us-east-1:111122223333:*",
    "arn:aws:ecr:us-east-?:111122223333:repository/team/w?b",
    "arn:*:ecr:us-*-1:*333:repository/*/web",
    "arn:aws:ecr:*",
    "arn:aws:*",
    "arn:*",
  ]) {
    expect({ source, like: like(source) }).toEqual({ source, like: true });
  }
  for (const source of [
    "",
    "?",
    "arn:aws:ecr",
    "arn:aws:ecr:us-east-1:111122223333",
    "arn:aws:ecr:*:repository/team/web",
    "arn:aws:ecr:*:*:repository/team",
    "arn:aws:ecr:*:*:repository/Team/*",
    "arn:aws:ecr:us-east-1:111122223333:repository/team/we",
    "arn:aws:s3:*",
  ]) {
    expect({ source, like: like(source) }).toEqual({ source, like: false });
  }
  // An action without a resource: nothing narrower than everything covers it.
  for (const source of ["arn:*", "arn:aws:ecr:*", "arn:aws:ecr:*:*:repository/*"]) {
    expect(like(source, "*")).toBe(false);
  }
  expect(like("*", "*")).toBe(true);
  expect(like("arn:aws:iam::111122223333:role/a:b*", "arn:aws:iam::111122223333:role/a:b:c")).toBe(
    true,
  );
});
