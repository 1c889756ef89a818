import { describe, expect, test } from "bun:test";
import { generateRegionKey } from "../../tests/support/region-key.ts";
import { regionTokens, regionTokenVerifier } from "./region-token.ts";

const source = generateRegionKey();
const stranger = generateRegionKey();
const chart = {
  regions: [{ name: "us-east-1", endpoint: "http://127.0.0.1:1", publicKey: source.publicKey }],
};
const start = 1_700_000_000_000;
const at = (milliseconds: number) => ({ now: () => start + milliseconds });

const tokenAt = (milliseconds: number, audience = "eu-west-1", key = source, name = "us-east-1") =>
  regionTokens(name, key, at(milliseconds)).authorization(audience);
const verifyAt = (milliseconds: number, authorization: string | null) =>
  regionTokenVerifier("eu-west-1", chart, at(milliseconds)).verify(authorization);

describe("a region's token", () => {
  test("proves which region it is", async () => {
    expect(await verifyAt(0, await tokenAt(0))).toBe("us-east-1");
    expect(await verifyAt(119_000, await tokenAt(0))).toBe("us-east-1");
  });

  test("is signed anew in time, also after the clock was set back", async () => {
    let now = start;
    const tokens = regionTokens("us-east-1", source, { now: () => now });
    const first = await tokens.authorization("eu-west-1");
    now = start + 29_000;
    expect(await tokens.authorization("eu-west-1")).toBe(first);
    expect(await tokens.authorization("sa-east-1")).not.toBe(first);
    now = start + 31_000;
    const second = await tokens.authorization("eu-west-1");
    expect(second).not.toBe(first);
    now = start - 600_000;
    expect(await tokens.authorization("eu-west-1")).not.toBe(second);
  });

  const refusals: [string, number, () => Promise<string | null>, number][] = [
    ["nothing", 401, async () => null, 0],
    ["another scheme", 401, async () => `Basic ${btoa("us-east-1:secret")}`, 0],
    ["no token", 401, async () => "Bearer x.y", 0],
    ["a long one", 401, async () => `Bearer ${"a".repeat(5000)}`, 0],
    ["an expired one", 401, () => tokenAt(0), 121_000],
    ["one from the future", 401, () => tokenAt(62_000), 0],
    ["one that another key has signed", 401, () => tokenAt(0, "eu-west-1", stranger), 0],
    ["one for another region", 403, () => tokenAt(0, "sa-east-1"), 0],
    ["one of a region that is unknown", 403, () => tokenAt(0, "eu-west-1", stranger, "mars-1"), 0],
    ["an unsigned one", 401, async () => unsigned(), 0],
    ["one whose claims were changed", 401, async () => changed(await tokenAt(0)), 0],
  ];
  for (const [what, status, token, milliseconds] of refusals) {
    test(`is refused: ${what}`, async () => {
      await expect(verifyAt(milliseconds, await token())).rejects.toMatchObject({ status });
    });
  }
});

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

function unsigned(): string {
  const seconds = start / 1000;
  const claims = { iss: "us-east-1", aud: "eu-west-1", iat: seconds, exp: seconds + 60 };
  return `Bearer ${encode({ alg: "none" })}.${encode(claims)}.`;
}

function changed(authorization: string): string {
  const [header, claims, signature] = authorization.split(".");
  const parsed = JSON.parse(Buffer.from(claims ?? "", "base64url").toString());
  return `${header}.${encode({ ...parsed, exp: parsed.exp + 3600 })}.${signature}`;
}
