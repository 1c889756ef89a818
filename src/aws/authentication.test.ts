/** Credentials, regions and clocks of the real SDK that are not accepted. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import * as sdk from "@aws-sdk/client-ecr";
import { type AwsEndpoint, startAwsEndpoint } from "../../tests/support/aws-endpoint.ts";
import { ecrClient, refusal } from "../../tests/support/ecr-client.ts";

let endpoint: AwsEndpoint;
let ecr: sdk.ECRClient;

beforeAll(async () => {
  endpoint = await startAwsEndpoint();
  ecr = ecrClient(endpoint);
});
afterAll(() => endpoint[Symbol.asyncDispose]());

const token = (overrides: Partial<sdk.ECRClientConfig>) =>
  refusal(ecrClient(endpoint, overrides).send(new sdk.GetAuthorizationTokenCommand()));

test("a wrong secret, an unknown key, a session that does not exist", async () => {
  const { id: accessKeyId, secretAccessKey } = endpoint.root;
  expect(
    await token({ credentials: { accessKeyId, secretAccessKey: `${secretAccessKey}x` } }),
  ).toEqual({
    name: "InvalidSignatureException",
    message:
      "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
  });
  const unrecognized = {
    name: "UnrecognizedClientException",
    message: "The security token included in the request is invalid.",
  };
  expect(
    await token({ credentials: { accessKeyId: "AKIAUNKNOWNUNKNOWN11", secretAccessKey } }),
  ).toEqual(unrecognized);
  expect(
    await token({ credentials: { accessKeyId, secretAccessKey, sessionToken: "session" } }),
  ).toEqual(unrecognized);
});

test("another region", async () => {
  expect(await token({ region: "eu-west-1" })).toEqual({
    name: "InvalidSignatureException",
    message: "Credential should be scoped to a valid region, not 'eu-west-1'.",
  });
});

test("a clock that is too far off; the SDK then learns from the answer's date", async () => {
  const command = new sdk.GetAuthorizationTokenCommand();
  const texts: [number, RegExp][] = [
    [-10, /^Signature expired: (\S+) is now earlier than (\S+) \((\S+) - 5 min\.\)$/],
    [10, /^Signature not yet current: (\S+) is still later than (\S+) \((\S+) \+ 5 min\.\)$/],
  ];
  for (const [minutes, text] of texts) {
    const client = ecrClient(endpoint, { systemClockOffset: minutes * 60_000 });
    const refused = await refusal(client.send(command));
    expect(refused.name).toBe("InvalidSignatureException");
    expect(refused.message).toMatch(text);
    expect(refused.message.match(/\b\d{8}T\d{6}Z\b/g)).toHaveLength(3);
    expect(await refusal(client.send(command))).toMatchObject({ name: "accepted" });
  }
  for (const minutes of [-4, 4]) {
    const client = ecrClient(endpoint, { systemClockOffset: minutes * 60_000 });
    expect(await refusal(client.send(command))).toMatchObject({ name: "accepted" });
  }
});

test("an operation that is not there", async () => {
  const command = new sdk.DescribeRegistryCommand();
  // As a client would send it that is newer than this server.
  command.middlewareStack.add(
    (next) => (step) => {
      const { headers } = step.request as { headers: Record<string, string> };
      headers["x-amz-target"] = "AmazonEC2ContainerRegistry_V20150921.DescribeTomorrow";
      return next(step);
    },
    { step: "build", priority: "low" },
  );
  expect(await refusal(ecr.send(command))).toMatchObject({ name: "UnknownOperationException" });
});
