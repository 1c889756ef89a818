/** The real SDKs take roles, and what their sessions may do is refused and allowed as it should be. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { CreateRepositoryCommand, GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import * as iamSdk from "@aws-sdk/client-iam";
import * as sdk from "@aws-sdk/client-sts";
import { type AwsEndpoint, startAwsEndpoint } from "../../../tests/support/aws-endpoint.ts";
import { ecrClient, refusal } from "../../../tests/support/ecr-client.ts";
import {
  allow,
  clockOffset,
  iamClient,
  stsClient,
  type TestCredentials,
  userWith,
} from "../../../tests/support/iam-client.ts";
import { manualClock } from "../../../tests/support/manual-clock.ts";

const clock = manualClock(Date.now());
const roleArn = (name: string) => `arn:aws:iam::111122223333:role/${name}`;
let endpoint: AwsEndpoint;
let iam: iamSdk.IAMClient;
let user: TestCredentials;

beforeAll(async () => {
  endpoint = await startAwsEndpoint({ clock });
  iam = iamClient(endpoint);
  user = await userWith(endpoint, "jo", allow(["sts:AssumeRole", "sts:TagSession"]));
});
afterAll(async () => {
  expect(endpoint.unforeseen).toEqual([]);
  await endpoint[Symbol.asyncDispose]();
});

function trust(statement: object): string {
  const Action = ["sts:AssumeRole", "sts:TagSession"];
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action, ...statement }],
  });
}

const trustsAccount = trust({ Principal: { AWS: "111122223333" } });

async function role(RoleName: string, trustPolicy: string, policy?: string): Promise<void> {
  await iam.send(new iamSdk.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trustPolicy }));
  if (policy === undefined) return;
  const inline = { RoleName, PolicyName: "inline", PolicyDocument: policy };
  await iam.send(new iamSdk.PutRolePolicyCommand(inline));
}

async function assume(
  name: string,
  input: Partial<sdk.AssumeRoleCommandInput> = {},
  credentials = user,
): Promise<TestCredentials> {
  const { Credentials: given } = await stsClient(endpoint, credentials).send(
    new sdk.AssumeRoleCommand({ RoleArn: roleArn(name), RoleSessionName: "session", ...input }),
  );
  return {
    accessKeyId: given?.AccessKeyId ?? "",
    secretAccessKey: given?.SecretAccessKey ?? "",
    sessionToken: given?.SessionToken ?? "",
  };
}

const ecrOf = (credentials: TestCredentials) =>
  ecrClient(endpoint, { credentials, systemClockOffset: clockOffset(endpoint) });
const token = (credentials: TestCredentials) =>
  ecrOf(credentials).send(new GetAuthorizationTokenCommand());

test("a session is its role's, by name and by rights, and ends in time", async () => {
  await role("reader", trustsAccount, allow("ecr:GetAuthorizationToken"));
  const session = await assume("reader");
  expect(session.accessKeyId).toStartWith("ASIA");
  const sts = stsClient(endpoint, session);
  expect(await sts.send(new sdk.GetCallerIdentityCommand())).toMatchObject({
    Account: "111122223333",
    Arn: "arn:aws:sts::111122223333:assumed-role/reader/session",
    UserId: expect.stringMatching(/^AROA[A-Z2-7]{16}:session$/),
  });
  const { authorizationData } = await token(session);
  const header = `Basic ${authorizationData?.[0]?.authorizationToken}`;
  expect(await endpoint.access.authenticateBasic(header)).toMatchObject({
    principal: { arn: "arn:aws:sts::111122223333:assumed-role/reader/session" },
  });
  // A registry token of a session ends with it, not after twelve hours.
  const expiresIn = (authorizationData?.[0]?.expiresAt?.getTime() ?? 0) - clock.now();
  expect(expiresIn).toBeLessThanOrEqual(3600_000);
  const create = new CreateRepositoryCommand({ repositoryName: "app" });
  expect(await refusal(ecrOf(session).send(create))).toEqual({
    name: "AccessDeniedException",
    message:
      "User: arn:aws:sts::111122223333:assumed-role/reader/session is not authorized to perform: ecr:CreateRepository on resource: arn:aws:ecr:us-east-1:111122223333:repository/app because no identity-based policy allows the ecr:CreateRepository action",
  });
});

test("only those whom the trust policy names may take a role", async () => {
  await role("trusts-nobody", trust({ Principal: { AWS: "444455556666" } }), allow("*"));
  const refused = (name: string) => ({
    name: "AccessDenied",
    message: `User: arn:aws:iam::111122223333:user/jo is not authorized to perform: sts:AssumeRole on resource: ${roleArn(name)} because no role trust policy allows the sts:AssumeRole action`,
  });
  expect(await refusal(assume("trusts-nobody"))).toEqual(refused("trusts-nobody"));
  // What does not exist looks the same.
  expect(await refusal(assume("missing"))).toEqual(refused("missing"));
  // An account that is trusted decides itself who of it may.
  const other = await userWith(endpoint, "may-not");
  await role("trusts-account", trustsAccount);
  expect(await refusal(assume("trusts-account", {}, other))).toMatchObject({
    name: "AccessDenied",
    message: expect.stringContaining("because no identity-based policy allows"),
  });
  await role(
    "trusts-user",
    trust({ Principal: { AWS: "arn:aws:iam::111122223333:user/may-not" } }),
  );
  await assume("trusts-user", {}, other);
  const { accessKeyId, secretAccessKey } = { ...endpoint.root, accessKeyId: endpoint.root.id };
  expect(await refusal(assume("trusts-account", {}, { accessKeyId, secretAccessKey }))).toEqual({
    name: "AccessDenied",
    message: "Roles may not be assumed by root accounts.",
  });
});

test("a trust policy asks for an external id", async () => {
  const Condition = { StringEquals: { "sts:ExternalId": "secret-7" } };
  await role("external", trust({ Principal: { AWS: "111122223333" }, Condition }));
  expect((await refusal(assume("external"))).name).toBe("AccessDenied");
  expect((await refusal(assume("external", { ExternalId: "secret-8" }))).name).toBe("AccessDenied");
  await assume("external", { ExternalId: "secret-7" });
});

test("a session policy takes away and never gives", async () => {
  await role("wide", trustsAccount, allow("ecr:*"));
  await token(await assume("wide"));
  const narrowed = await assume("wide", { Policy: allow("ecr:CreateRepository") });
  expect(await refusal(token(narrowed))).toMatchObject({
    message: expect.stringContaining("because no session policy allows"),
  });
  await role("narrow", trustsAccount);
  expect((await refusal(token(await assume("narrow", { Policy: allow("*") })))).name).toBe(
    "AccessDeniedException",
  );
  const pullOnly = [{ arn: "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly" }];
  await token(await assume("wide", { PolicyArns: pullOnly }));
});

test("session tags are seen by policies", async () => {
  const tagged = JSON.stringify({
    Version: "2012-10-17",
    Statement: {
      Effect: "Allow",
      Action: "ecr:GetAuthorizationToken",
      Resource: "*",
      Condition: { StringEquals: { "aws:PrincipalTag/team": "red" } },
    },
  });
  await role("tagged", trustsAccount, tagged);
  const as = (Value: string) => assume("tagged", { Tags: [{ Key: "team", Value }] });
  await token(await as("red"));
  expect((await refusal(token(await as("blue")))).name).toBe("AccessDeniedException");
});

test("durations have their limits, and chains of roles an hour", async () => {
  await role("long", trustsAccount, allow("sts:AssumeRole"));
  const asked = await refusal(assume("long", { DurationSeconds: 3601 }));
  expect(asked).toEqual({
    name: "ValidationError",
    message: "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
  });
  const change = { RoleName: "long", MaxSessionDuration: 43_200 };
  await iam.send(new iamSdk.UpdateRoleCommand(change));
  const session = await assume("long", { DurationSeconds: 43_200 });
  expect(await refusal(assume("long", { DurationSeconds: 7200 }, session))).toMatchObject({
    message: expect.stringContaining("1 hour session limit"),
  });
  await assume("long", {}, session);
});

test("a session loses its rights with its role, also when another has the name", async () => {
  await role("gone", trustsAccount, allow("ecr:GetAuthorizationToken"));
  const session = await assume("gone");
  await token(session);
  const named = { RoleName: "gone" };
  expect(await refusal(iam.send(new iamSdk.DeleteRoleCommand(named)))).toEqual({
    name: "DeleteConflictException",
    message: "Cannot delete entity, must delete policies first.",
  });
  await iam.send(new iamSdk.DeleteRolePolicyCommand({ ...named, PolicyName: "inline" }));
  await iam.send(new iamSdk.DeleteRoleCommand(named));
  expect((await refusal(token(session))).name).toBe("AccessDeniedException");
  await role("gone", trustsAccount, allow("*"));
  expect((await refusal(token(session))).name).toBe("AccessDeniedException");
});

test("a session token of another session, a changed one and none are refused", async () => {
  await role("mixed", trustsAccount, allow("*"));
  const [one, two] = [await assume("mixed"), await assume("mixed")];
  const ask = (credentials: TestCredentials) =>
    refusal(stsClient(endpoint, credentials).send(new sdk.GetCallerIdentityCommand()));
  const { sessionToken = "" } = one;
  const { accessKeyId, secretAccessKey } = one;
  const middle = sessionToken.charAt(40) === "A" ? "B" : "A";
  const changed = sessionToken.slice(0, 40) + middle + sessionToken.slice(41);
  for (const wrong of [
    { ...one, sessionToken: two.sessionToken ?? "" },
    { ...one, sessionToken: changed },
    { accessKeyId, secretAccessKey },
    { ...user, sessionToken },
  ]) {
    expect((await ask(wrong)).name).toBe("InvalidClientTokenId");
  }
  expect((await ask({ ...one, secretAccessKey: two.secretAccessKey })).name).toBe(
    "SignatureDoesNotMatch",
  );
});

test("GetSessionToken gives a user's own rights for a time", async () => {
  const own = await userWith(endpoint, "temporary", allow("ecr:GetAuthorizationToken"));
  const { Credentials: given } = await stsClient(endpoint, own).send(
    new sdk.GetSessionTokenCommand({ DurationSeconds: 900 }),
  );
  const session = {
    accessKeyId: given?.AccessKeyId ?? "",
    secretAccessKey: given?.SecretAccessKey ?? "",
    sessionToken: given?.SessionToken ?? "",
  };
  await token(session);
  const sts = stsClient(endpoint, session);
  expect((await sts.send(new sdk.GetCallerIdentityCommand())).Arn).toBe(
    "arn:aws:iam::111122223333:user/temporary",
  );
  expect((await refusal(sts.send(new sdk.GetSessionTokenCommand()))).name).toBe("AccessDenied");
});

// These move the clock, so they come last.
test("a session ends in time, and its registry token with it", async () => {
  await role("short", trustsAccount, allow("ecr:GetAuthorizationToken"));
  const session = await assume("short", { DurationSeconds: 900 });
  const { authorizationData } = await token(session);
  const header = `Basic ${authorizationData?.[0]?.authorizationToken}`;
  expect(await endpoint.access.authenticateBasic(header)).toHaveProperty("principal");
  clock.advance(900_000);
  expect(await endpoint.access.authenticateBasic(header)).toEqual({ failure: "expired" });
  const sts = stsClient(endpoint, session);
  expect(await refusal(sts.send(new sdk.GetCallerIdentityCommand()))).toEqual({
    name: "ExpiredToken",
    message: "The security token included in the request is expired",
  });
});
