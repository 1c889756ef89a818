/** AWS's own clients of IAM and STS, for the endpoint of a test, and users to ask with. */
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  IAMClient,
  PutUserPolicyCommand,
} from "@aws-sdk/client-iam";
import { STSClient } from "@aws-sdk/client-sts";
import type { AwsEndpoint } from "./aws-endpoint.ts";

export interface TestCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export function rootCredentials({ root }: AwsEndpoint): TestCredentials {
  return { accessKeyId: root.id, secretAccessKey: root.secretAccessKey };
}

export function iamClient(endpoint: AwsEndpoint, credentials = rootCredentials(endpoint)) {
  return new IAMClient({
    endpoint: endpoint.url,
    region: endpoint.region,
    credentials,
    maxAttempts: 1,
    systemClockOffset: clockOffset(endpoint),
  });
}

export function stsClient(endpoint: AwsEndpoint, credentials = rootCredentials(endpoint)) {
  return new STSClient({
    endpoint: endpoint.url,
    region: endpoint.region,
    credentials,
    maxAttempts: 1,
    systemClockOffset: clockOffset(endpoint),
  });
}

/** Clients sign for the time of the endpoint's clock, which a test may have moved. */
export function clockOffset({ registry }: AwsEndpoint): number {
  return registry.clock.now() - Date.now();
}

/** A policy of one statement that allows. */
export function allow(actions: string | readonly string[], resource = "*"): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: actions, Resource: resource }],
  });
}

/** Creates a user with an inline policy and a key. */
export async function userWith(
  endpoint: AwsEndpoint,
  UserName: string,
  policy?: string,
): Promise<TestCredentials> {
  const iam = iamClient(endpoint);
  await iam.send(new CreateUserCommand({ UserName }));
  if (policy !== undefined) {
    await iam.send(
      new PutUserPolicyCommand({ UserName, PolicyName: "inline", PolicyDocument: policy }),
    );
  }
  const { AccessKey: key } = await iam.send(new CreateAccessKeyCommand({ UserName }));
  return {
    accessKeyId: key?.AccessKeyId ?? "",
    secretAccessKey: key?.SecretAccessKey ?? "",
  };
}
