import { expect, test } from "bun:test";
import fc from "fast-check";
import { manualClock } from "../../tests/support/manual-clock.ts";
import { systemRandom } from "../runtime/clock.ts";
import type { AuthenticationFailure } from "./access.ts";
import { basicAuthentication } from "./basic-authentication.ts";
import { type AccessKey, type AccessKeys, rootPrincipal } from "./credentials.ts";
import { registryTokens } from "./tokens.ts";

const account = "111122223333";
const principal = rootPrincipal(account);
const key: AccessKey = {
  id: "AKIAABCDEFGHIJKLMNOP",
  secretAccessKey: "secret:with/colons+and=more",
  principal,
};

function setUp(options: { trustedHeadersLimit?: number } = {}) {
  const clock = manualClock();
  const active = new Map([[key.id, key]]);
  let lookups = 0;
  const keys: AccessKeys = {
    async find(accessKeyId) {
      lookups++;
      return active.get(accessKeyId);
    },
  };
  const tokens = registryTokens({
    installationKey: systemRandom.bytes(32),
    region: "us-east-1",
    clock,
  });
  const authenticate = basicAuthentication({ keys, tokens, clock, ...options });
  const token = tokens.issue({ principal, accessKeyId: key.id }).token;
  return { clock, active, authenticate, token, lookups: () => lookups };
}

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

test("a token and an access key are both accepted", async () => {
  const { authenticate, token } = setUp();
  expect(await authenticate(basic("AWS", token))).toEqual({ principal });
  expect(await authenticate(basic(key.id, key.secretAccessKey))).toEqual({ principal });
  expect(await authenticate(basic("AWS", token).replace("Basic", "bAsIc"))).toEqual({
    principal,
  });
});

test("what is wrong is told apart", async () => {
  const { authenticate, clock, token } = setUp();
  const cases: [string | null, AuthenticationFailure][] = [
    [null, "missing"],
    ["", "missing"],
    ["Basic", "malformed"],
    ["Basic !!!", "malformed"],
    [`Bearer ${token}`, "malformed"],
    [basic("", "x"), "malformed"],
    [`Basic ${Buffer.from("nocolon").toString("base64")}`, "malformed"],
    [`Basic ${"A".repeat(9000)}`, "malformed"],
    [basic("AWS", ""), "invalid"],
    [basic("AWS", `${token}x`), "invalid"],
    [basic("aws", token), "invalid"],
    [basic(key.id, token), "invalid"],
    [basic(key.id, key.secretAccessKey.slice(1)), "invalid"],
    [basic(key.id.toLowerCase(), key.secretAccessKey), "invalid"],
    [basic("AKIAUNKNOWNUNKNOWN11", key.secretAccessKey), "invalid"],
  ];
  for (const [header, failure] of cases) {
    expect({ header, ...(await authenticate(header)) }).toEqual({ header, failure });
  }
  clock.advance(12 * 3600_000);
  expect(await authenticate(basic("AWS", token))).toEqual({ failure: "expired" });
});

test("no header makes it throw or let in", async () => {
  const { authenticate } = setUp();
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.string(),
        fc.string().map((text) => `Basic ${text}`),
        fc.string().map((text) => `Basic ${Buffer.from(text).toString("base64")}`),
      ),
      async (header) => expect(await authenticate(header)).toHaveProperty("failure"),
    ),
  );
});

test("a verified header is trusted for a minute without looking at the keys", async () => {
  const { authenticate, clock, token, lookups } = setUp();
  const header = basic("AWS", token);
  await authenticate(header);
  clock.advance(59_999);
  for (let i = 0; i < 100; i++) await authenticate(header);
  expect(lookups()).toBe(1);
  clock.advance(1);
  expect(await authenticate(header)).toEqual({ principal });
  expect(lookups()).toBe(2);
});

test("a deactivated key stops within a minute, and its tokens with it", async () => {
  const { authenticate, active, clock, token } = setUp();
  const headers = [basic("AWS", token), basic(key.id, key.secretAccessKey)];
  for (const header of headers) await authenticate(header);
  active.clear();
  clock.advance(60_000);
  for (const header of headers) {
    expect(await authenticate(header)).toEqual({ failure: "invalid" });
  }
});

test("trust never outlives the token", async () => {
  const { authenticate, clock, token } = setUp();
  clock.advance(12 * 3600_000 - 1000);
  expect(await authenticate(basic("AWS", token))).toEqual({ principal });
  clock.advance(1000);
  expect(await authenticate(basic("AWS", token))).toEqual({ failure: "expired" });
});

test("a clock that is set back does not lengthen the trust", async () => {
  const { authenticate, active, clock } = setUp();
  const header = basic(key.id, key.secretAccessKey);
  await authenticate(header);
  active.clear();
  clock.advance(-3600_000);
  expect(await authenticate(header)).toEqual({ failure: "invalid" });
});

test("failures are not remembered, and the memory is bounded", async () => {
  const { authenticate, lookups, token } = setUp({ trustedHeadersLimit: 2 });
  const spaces = (count: number) => basic("AWS", token).replace(" ", " ".repeat(count));
  for (const count of [1, 2, 3]) await authenticate(spaces(count));
  expect(lookups()).toBe(3);
  await authenticate(spaces(3));
  await authenticate(spaces(2));
  expect(lookups()).toBe(3);
  await authenticate(spaces(1));
  expect(lookups()).toBe(4);
  for (let i = 0; i < 2; i++) await authenticate(basic(key.id, "wrong"));
  expect(lookups()).toBe(6);
});

test("a key that was given to another principal does not carry an old token", async () => {
  const { authenticate, active, token } = setUp();
  active.set(key.id, { ...key, principal: rootPrincipal("444455556666") });
  expect(await authenticate(basic("AWS", token))).toEqual({ failure: "invalid" });
});
