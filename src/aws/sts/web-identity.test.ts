/** A pipeline's token becomes a session of a role; every wrong token is refused by its fault. */
import { expect, test } from "bun:test";
import * as iamSdk from "@aws-sdk/client-iam";
import * as sdk from "@aws-sdk/client-sts";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { startAwsEndpoint } from "../../../tests/support/aws-endpoint.ts";
import { refusal } from "../../../tests/support/ecr-client.ts";
import { iamClient, stsClient } from "../../../tests/support/iam-client.ts";

test("signature, issuer, audience, subject and end all count", async () => {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  const stranger = await generateKeyPair("ES256");
  const jwk = { ...(await exportJWK(publicKey)), kid: "one", alg: "ES256" };
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) =>
      new URL(request.url).pathname === "/keys"
        ? Response.json({ keys: [jwk] })
        : Response.json({ issuer, jwks_uri: `${issuer}/keys` }),
  });
  const issuer: string = `http://127.0.0.1:${server.port}`;
  const provider = `127.0.0.1:${server.port}`;
  const identityProviders = [{ issuer, audiences: ["sts.amazonaws.com"] }];
  await using endpoint = await startAwsEndpoint({ identityProviders });
  const trust = {
    Effect: "Allow",
    Principal: { Federated: `arn:aws:iam::111122223333:oidc-provider/${provider}` },
    Action: "sts:AssumeRoleWithWebIdentity",
    Condition: { StringEquals: { [`${provider}:sub`]: "repo:app:main" } },
  };
  const AssumeRolePolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: trust });
  const role = { RoleName: "pipeline", AssumeRolePolicyDocument };
  await iamClient(endpoint).send(new iamSdk.CreateRoleCommand(role));

  const now = Math.floor(endpoint.registry.clock.now() / 1000);
  const token = (change: Record<string, unknown> = {}, key = privateKey) =>
    new SignJWT({
      iss: issuer,
      aud: "sts.amazonaws.com",
      sub: "repo:app:main",
      exp: now + 600,
      ...change,
    })
      .setProtectedHeader({ alg: "ES256", kid: "one" })
      .sign(key);
  const assume = (WebIdentityToken: string) =>
    stsClient(endpoint).send(
      new sdk.AssumeRoleWithWebIdentityCommand({
        RoleArn: "arn:aws:iam::111122223333:role/pipeline",
        RoleSessionName: "build",
        WebIdentityToken,
      }),
    );
  const refused = async (wrong: string) => (await refusal(assume(wrong))).name;

  const given = await assume(await token());
  expect(given).toMatchObject({
    SubjectFromWebIdentityToken: "repo:app:main",
    Audience: "sts.amazonaws.com",
  });
  const session = {
    accessKeyId: given.Credentials?.AccessKeyId ?? "",
    secretAccessKey: given.Credentials?.SecretAccessKey ?? "",
    sessionToken: given.Credentials?.SessionToken ?? "",
  };
  const who = await stsClient(endpoint, session).send(new sdk.GetCallerIdentityCommand());
  expect(who.Arn).toBe("arn:aws:sts::111122223333:assumed-role/pipeline/build");

  expect(await refused(await token({ sub: "repo:app:other" }))).toBe("AccessDenied");
  const invalid = "InvalidIdentityTokenException";
  expect(await refused(await token({ aud: "another" }))).toBe(invalid);
  expect(await refused(await token({ iss: "https://other.example.com" }))).toBe(invalid);
  expect(await refused(await token({}, stranger.privateKey))).toBe(invalid);
  expect(await refused("not.a.token")).toBe(invalid);
  expect(await refused(await token({ exp: now - 600 }))).toBe("ExpiredTokenException");
  expect(endpoint.unforeseen).toEqual([]);
  await server.stop(true);
});
