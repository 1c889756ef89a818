/** What IMDS refuses, and what it gives. */
import { expect, test } from "bun:test";
import { manualClock } from "../../tests/support/manual-clock.ts";
import { systemRandom } from "../runtime/clock.ts";
import { renewedCredentials } from "./credentials.ts";
import { instanceMetadataHandler } from "./handler.ts";

const roleArn = "arn:aws:iam::111122223333:role/puller";
const hour = 3600_000;

function world() {
  const clock = manualClock();
  let issued = 0;
  let broken = false;
  const assume = async () => {
    if (broken) throw new Error("STS is away");
    const now = clock.now();
    issued++;
    return {
      accessKeyId: `ASIA${issued}`,
      secretAccessKey: "secret",
      sessionToken: "token",
      issuedAt: now,
      expiresAt: now + hour,
    };
  };
  const errors: unknown[] = [];
  const handler = instanceMetadataHandler({
    credentials: renewedCredentials(assume, clock),
    roleName: "puller",
    roleArn,
    account: "111122223333",
    region: "us-east-1",
    containerToken: "container-token",
    isNear: (address) => address === "127.0.0.1",
    clock,
    random: systemRandom,
    reportError: (error) => void errors.push(error),
  });
  const send = (
    method: string,
    path: string,
    headers: Record<string, string> = {},
    from = "127.0.0.1",
  ) =>
    handler(new Request(`http://127.0.0.1${path}`, { method, headers }), {
      requestId: "r",
      clientAddress: from,
      secure: false,
      log: {},
    });
  const token = async (seconds = "60") =>
    (
      await send("PUT", "/latest/api/token", { "x-aws-ec2-metadata-token-ttl-seconds": seconds })
    ).text();
  return {
    clock,
    errors,
    send,
    token,
    setBroken: (value: boolean) => {
      broken = value;
    },
  };
}

const path = "/latest/meta-data/iam/security-credentials/";
const withToken = (token: string) => ({ "x-aws-ec2-metadata-token": token });

test("a token opens the credentials, for its time", async () => {
  const { send, token, clock } = world();
  const held = withToken(await token());
  expect(await (await send("GET", path, held)).text()).toBe("puller");
  const credentials = await send("GET", `${path}puller`, held);
  expect(await credentials.json()).toMatchObject({
    Code: "Success",
    AccessKeyId: "ASIA1",
    Expiration: new Date(clock.now() + hour).toISOString().replace(".000", ""),
  });
  clock.advance(61_000);
  expect((await send("GET", path, held)).status).toBe(401);
});

test("without a token, with a wrong one, through a proxy, from afar: nothing", async () => {
  const { send, token } = world();
  const good = await token();
  const forged = `${Number(good.split(".")[0]) + 1}.${good.split(".")[1]}`;
  expect((await send("GET", path)).status).toBe(401);
  expect((await send("GET", path, withToken(forged))).status).toBe(401);
  expect((await send("GET", path, withToken("x"))).status).toBe(401);
  const forwarded = { ...withToken(good), "x-forwarded-for": "10.0.0.1" };
  expect((await send("GET", path, forwarded)).status).toBe(403);
  expect((await send("GET", path, withToken(good), "10.0.0.1")).status).toBe(403);
  expect((await send("GET", "/latest/meta-data/none", withToken(good))).status).toBe(404);
  for (const seconds of ["0", "21601", "x", "-1"]) expect(await token(seconds)).toBe("Bad Request");
});

test("containers show their own token", async () => {
  const { send } = world();
  expect((await send("GET", "/credentials")).status).toBe(401);
  expect((await send("GET", "/credentials", { authorization: "other" })).status).toBe(401);
  const answer = await send("GET", "/credentials", { authorization: "container-token" });
  expect(await answer.json()).toMatchObject({ RoleArn: roleArn, Token: "token" });
});

test("credentials are renewed before they end, and an outage is not felt while they are good", async () => {
  const { send, clock, setBroken, errors } = world();
  const id = async () => {
    const answer = await send("GET", "/credentials", { authorization: "container-token" });
    return answer.ok
      ? ((await answer.json()) as { AccessKeyId: string }).AccessKeyId
      : answer.status;
  };
  expect(await id()).toBe("ASIA1");
  clock.advance(0.7 * hour);
  expect(await id()).toBe("ASIA1");
  setBroken(true);
  clock.advance(0.2 * hour);
  expect(await id()).toBe("ASIA1");
  setBroken(false);
  expect(await id()).toBe("ASIA2");
  setBroken(true);
  clock.advance(2 * hour);
  expect(await id()).toBe(503);
  expect(errors).toHaveLength(1);
});
