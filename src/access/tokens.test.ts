import { expect, test } from "bun:test";
import fc from "fast-check";
import { manualClock } from "../../tests/support/manual-clock.ts";
import { systemRandom } from "../runtime/clock.ts";
import { registryTokens, type TokenHolder } from "./tokens.ts";

const installationKey = systemRandom.bytes(32);
const holder: TokenHolder = {
  principal: { arn: "arn:aws:iam::111122223333:root", account: "111122223333" },
  accessKeyId: "AKIAABCDEFGHIJKLMNOP",
};

function tokensOf(region: string, clock = manualClock(), key = installationKey) {
  return registryTokens({ installationKey: key, region, clock });
}

test("a token gives back its holder for twelve hours, then it has expired", () => {
  const clock = manualClock(1_800_000_000_123);
  const tokens = tokensOf("us-east-1", clock);
  const { token, expiresAt } = tokens.issue(holder);
  expect(expiresAt).toBe(1_800_000_000_000 + 12 * 3600_000);
  expect(tokens.verify(token)).toEqual({ valid: true, holder, expiresAt });
  clock.advance(expiresAt - clock.now() - 1);
  expect(tokens.verify(token).valid).toBe(true);
  clock.advance(1);
  expect(tokens.verify(token)).toEqual({ valid: false, failure: "expired" });
});

test("it is small, safe in a URL and has no colon", () => {
  const { token } = tokensOf("us-east-1").issue(holder);
  expect(token).toMatch(/^[A-Za-z0-9_.-]+$/);
  expect(token.length).toBeLessThan(250);
});

test("it is good in its region and under its installation key only", () => {
  const { token } = tokensOf("us-east-1").issue(holder);
  const invalid = { valid: false, failure: "invalid" } as const;
  expect(tokensOf("eu-west-1").verify(token)).toEqual(invalid);
  expect(tokensOf("us-east-1", manualClock(), systemRandom.bytes(32)).verify(token)).toEqual(
    invalid,
  );
});

test("a changed token is invalid, wherever it was changed", () => {
  const tokens = tokensOf("us-east-1");
  const { token } = tokens.issue(holder);
  fc.assert(
    fc.property(fc.nat(token.length - 1), fc.constantFrom(..."AZaz09_-.="), (position, letter) => {
      fc.pre(token[position] !== letter);
      const changed = token.slice(0, position) + letter + token.slice(position + 1);
      expect(tokens.verify(changed)).toEqual({ valid: false, failure: "invalid" });
    }),
    { numRuns: 1000 },
  );
});

test("an expired token that was changed is invalid, not expired", () => {
  const clock = manualClock();
  const tokens = tokensOf("us-east-1", clock);
  const { token } = tokens.issue(holder);
  clock.advance(13 * 3600_000);
  expect(tokens.verify(`${token.slice(0, -1)}!`)).toEqual({ valid: false, failure: "invalid" });
});

test("anything else is invalid and never an exception", () => {
  const tokens = tokensOf("us-east-1");
  const any = fc.oneof(
    fc.string(),
    fc.array(fc.base64String(), { maxLength: 5 }).map((parts) => parts.join(".")),
    fc.array(fc.string(), { maxLength: 5 }).map((parts) => `1.${parts.join(".")}`),
    fc.constant("1..".repeat(10_000)),
  );
  fc.assert(
    fc.property(any, (text) => {
      expect(tokens.verify(text)).toEqual({ valid: false, failure: "invalid" });
    }),
  );
});
