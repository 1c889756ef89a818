/** The real SDK asks for tokens. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import * as sdk from "@aws-sdk/client-ecr";
import { type AwsEndpoint, startAwsEndpoint } from "../../../../tests/support/aws-endpoint.ts";
import { ecrClient, refusal } from "../../../../tests/support/ecr-client.ts";
import { manualClock } from "../../../../tests/support/manual-clock.ts";

let endpoint: AwsEndpoint;
let ecr: sdk.ECRClient;

beforeAll(async () => {
  endpoint = await startAwsEndpoint();
  ecr = ecrClient(endpoint);
});
afterAll(() => endpoint[Symbol.asyncDispose]());

test("gives a token that opens the registry, for twelve hours", async () => {
  const { authorizationData } = await ecr.send(new sdk.GetAuthorizationTokenCommand());
  const [data] = authorizationData ?? [];
  expect(authorizationData).toHaveLength(1);
  expect(data?.proxyEndpoint).toBe(endpoint.url);
  const hours = ((data?.expiresAt?.getTime() ?? 0) - endpoint.registry.clock.now()) / 3600_000;
  expect(hours).toBeGreaterThan(11.9);
  expect(hours).toBeLessThanOrEqual(12);
  expect(await endpoint.access.authenticateBasic(`Basic ${data?.authorizationToken}`)).toEqual({
    principal: endpoint.root.principal,
  });
  // `aws ecr get-login-password` splits at colons into exactly two.
  const decoded = Buffer.from(data?.authorizationToken ?? "", "base64").toString();
  expect(decoded.split(":")).toHaveLength(2);
});

test("answers for each registry that is named, once", async () => {
  const registryIds = ["111122223333", "444455556666", "111122223333"];
  const { authorizationData } = await ecr.send(
    new sdk.GetAuthorizationTokenCommand({ registryIds }),
  );
  expect(authorizationData).toHaveLength(2);
  expect(
    await refusal(ecr.send(new sdk.GetAuthorizationTokenCommand({ registryIds: ["1"] }))),
  ).toEqual({
    name: "InvalidParameterException",
    message:
      "Invalid parameter at 'registryIds.1.member' failed to satisfy constraint: 'Member must satisfy regular expression pattern: [0-9]{12}'",
  });
});

test("names the endpoint that is configured, or the account's on a host of AWS's form", async () => {
  await using configured = await startAwsEndpoint({
    registryEndpoint: "https://{account}.dkr.ecr.us-east-1.example.com",
  });
  const { authorizationData } = await ecrClient(configured).send(
    new sdk.GetAuthorizationTokenCommand(),
  );
  expect(authorizationData?.[0]?.proxyEndpoint).toBe(
    "https://111122223333.dkr.ecr.us-east-1.example.com",
  );
  const client = ecrClient(endpoint);
  client.middlewareStack.add(
    (next) => (args) => {
      const { request } = args as { request: { headers: Record<string, string> } };
      request.headers.host = "api.ecr.us-east-1.example.com:8443";
      return next(args);
    },
    { step: "build", priority: "low" },
  );
  const onOtherHost = await client.send(new sdk.GetAuthorizationTokenCommand());
  expect(onOtherHost.authorizationData?.[0]?.proxyEndpoint).toBe(
    "http://111122223333.dkr.ecr.us-east-1.example.com:8443",
  );
});

test("the token that the SDK got expires with the server's clock", async () => {
  const clock = manualClock(Date.now());
  await using other = await startAwsEndpoint({ clock });
  const { authorizationData } = await ecrClient(other).send(new sdk.GetAuthorizationTokenCommand());
  const header = `Basic ${authorizationData?.[0]?.authorizationToken}`;
  clock.advance(12 * 3600_000);
  expect(await other.access.authenticateBasic(header)).toEqual({ failure: "expired" });
});
