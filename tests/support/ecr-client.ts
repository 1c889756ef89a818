/** AWS's own client of Amazon ECR, for the endpoint of a test. */
import { ECRClient, type ECRClientConfig } from "@aws-sdk/client-ecr";
import type { AwsEndpoint } from "./aws-endpoint.ts";

export function ecrClient(
  { url, region, root }: AwsEndpoint,
  overrides: Partial<ECRClientConfig> = {},
): ECRClient {
  return new ECRClient({
    endpoint: url,
    region,
    credentials: { accessKeyId: root.id, secretAccessKey: root.secretAccessKey },
    maxAttempts: 1,
    ...overrides,
  });
}

/** Name and message of the error that the client made of an answer. */
export async function refusal(
  answer: Promise<unknown>,
): Promise<{ name: string; message: string }> {
  return answer.then(
    () => ({ name: "accepted", message: "" }),
    (error: Error) => ({ name: error.name, message: error.message }),
  );
}
