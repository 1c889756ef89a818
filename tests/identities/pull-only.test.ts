/** What IAM allows and STS gives is what the registry goes by, from one end to the other. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import * as iamSdk from "@aws-sdk/client-iam";
import { AssumeRoleCommand } from "@aws-sdk/client-sts";
import { type AwsEndpoint, startAwsEndpoint } from "../support/aws-endpoint.ts";
import { ecrClient } from "../support/ecr-client.ts";
import {
  allow,
  iamClient,
  rootCredentials,
  stsClient,
  type TestCredentials,
  userWith,
} from "../support/iam-client.ts";
import { pushImage } from "../support/push-image.ts";

const pullOnly = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly";
let endpoint: AwsEndpoint;
let iam: iamSdk.IAMClient;

beforeAll(async () => {
  endpoint = await startAwsEndpoint();
  iam = iamClient(endpoint);
  const layers = [new TextEncoder().encode("layer")];
  await pushImage(endpoint.registry, { repository: "prod-app", tags: ["v1"], layers });
  await pushImage(endpoint.registry, { repository: "test-app", tags: ["v1"], layers });
});
afterAll(async () => {
  expect(endpoint.unforeseen).toEqual([]);
  await endpoint[Symbol.asyncDispose]();
});

/** What `aws ecr get-login-password | docker login` keeps. */
async function login(credentials: TestCredentials): Promise<string> {
  const { authorizationData } = await ecrClient(endpoint, { credentials }).send(
    new GetAuthorizationTokenCommand(),
  );
  return `Basic ${authorizationData?.[0]?.authorizationToken}`;
}

async function ask(method: string, path: string, Authorization: string) {
  const response = await fetch(`${endpoint.url}/v2/${path}`, {
    method,
    headers: { Authorization },
  });
  const text = await response.text();
  const refused = response.status === 403;
  return {
    status: response.status,
    ...(refused && { error: (JSON.parse(text) as { errors: unknown[] }).errors[0] }),
  };
}

const pull = (repository: string, authorization: string) =>
  ask("GET", `${repository}/manifests/v1`, authorization);
const push = (repository: string, authorization: string) =>
  ask("POST", `${repository}/blobs/uploads/`, authorization);

function denial(arn: string, action: string, repository: string) {
  return {
    status: 403,
    error: {
      code: "DENIED",
      message: `User: ${arn} is not authorized to perform: ${action} on resource: arn:aws:ecr:us-east-1:111122223333:repository/${repository} because no identity-based policy allows the ${action} action`,
    },
  };
}

test("a user who may pull pulls, and is refused a push in AWS's words", async () => {
  const credentials = await userWith(endpoint, "puller");
  const attachment = { UserName: "puller", PolicyArn: pullOnly };
  await iam.send(new iamSdk.AttachUserPolicyCommand(attachment));
  const authorization = await login(credentials);
  expect((await pull("prod-app", authorization)).status).toBe(200);
  const arn = "arn:aws:iam::111122223333:user/puller";
  const refused = denial(arn, "ecr:InitiateLayerUpload", "prod-app");
  expect(await push("prod-app", authorization)).toEqual(refused);
  expect((await push("prod-app", await login(rootCredentials(endpoint)))).status).toBe(202);
  // What is taken away counts for tokens that were given before.
  await iam.send(new iamSdk.DetachUserPolicyCommand(attachment));
  expect(await pull("prod-app", authorization)).toEqual(
    denial(arn, "ecr:BatchGetImage", "prod-app"),
  );
});

test("a user limited to prod-* is refused elsewhere, whether or not it exists", async () => {
  const policy = JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      { Effect: "Allow", Action: "ecr:GetAuthorizationToken", Resource: "*" },
      { Effect: "Allow", Action: "ecr:*", Resource: "arn:aws:ecr:*:*:repository/prod-*" },
    ],
  });
  const authorization = await login(await userWith(endpoint, "limited", policy));
  expect((await pull("prod-app", authorization)).status).toBe(200);
  expect((await push("prod-new", authorization)).status).toBe(202);
  const arn = "arn:aws:iam::111122223333:user/limited";
  for (const repository of ["test-app", "missing"]) {
    expect(await pull(repository, authorization)).toEqual(
      denial(arn, "ecr:BatchGetImage", repository),
    );
  }
});

test("a session of a role pulls with its token", async () => {
  const trustPolicy = {
    Version: "2012-10-17",
    Statement: {
      Effect: "Allow",
      Principal: { AWS: "111122223333" },
      Action: "sts:AssumeRole",
    },
  };
  const RoleName = "deployer";
  const AssumeRolePolicyDocument = JSON.stringify(trustPolicy);
  await iam.send(new iamSdk.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
  await iam.send(new iamSdk.AttachRolePolicyCommand({ RoleName, PolicyArn: pullOnly }));
  const user = await userWith(endpoint, "pipeline", allow("sts:AssumeRole"));
  const { Credentials: given } = await stsClient(endpoint, user).send(
    new AssumeRoleCommand({
      RoleArn: "arn:aws:iam::111122223333:role/deployer",
      RoleSessionName: "build-7",
    }),
  );
  const authorization = await login({
    accessKeyId: given?.AccessKeyId ?? "",
    secretAccessKey: given?.SecretAccessKey ?? "",
    sessionToken: given?.SessionToken ?? "",
  });
  expect((await pull("prod-app", authorization)).status).toBe(200);
  expect(await push("prod-app", authorization)).toEqual(
    denial(
      "arn:aws:sts::111122223333:assumed-role/deployer/build-7",
      "ecr:InitiateLayerUpload",
      "prod-app",
    ),
  );
});
