/** Identities and accounts of an installation of real processes, with Amazon's own clients. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { DescribeRepositoriesCommand, ECRClient } from "@aws-sdk/client-ecr";
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  IAMClient,
  PutUserPolicyCommand,
  UpdateAccessKeyCommand,
} from "@aws-sdk/client-iam";
import * as v from "valibot";
import { allow, type TestCredentials } from "../support/iam-client.ts";
import { type RegionProcesses, startRegionProcesses } from "../support/region-processes.ts";
import { waitUntil } from "../support/wait-until.ts";
import { runPortolan } from "./portolan-process.ts";

setDefaultTimeout(120_000);

const first = "us-east-1";
const second = "eu-west-1";
let regions: RegionProcesses;

beforeAll(async () => {
  regions = await startRegionProcesses(first, second);
});
afterAll(() => regions[Symbol.asyncDispose]());

const options = (region: string, credentials: TestCredentials) => ({
  endpoint: regions.region(region).endpoint,
  region,
  credentials,
  maxAttempts: 1,
});
const iam = (region: string) => new IAMClient(options(region, regions.credentials));

/** Undefined when it is allowed; the error's name otherwise. */
async function refusal(region: string, credentials: TestCredentials): Promise<string | undefined> {
  try {
    await new ECRClient(options(region, credentials)).send(new DescribeRepositoriesCommand({}));
    return undefined;
  } catch (error) {
    if (error instanceof Error) return error.name;
    throw error;
  }
}

async function becomes(region: string, credentials: TestCredentials, expected?: string) {
  await waitUntil(`${expected ?? "access"} in ${region}`, async () => {
    const refused = await refusal(region, credentials);
    return refused === expected;
  });
}

test("a user of one region works in the other, and a key revoked there is refused here", async () => {
  const UserName = "anna";
  await iam(first).send(new CreateUserCommand({ UserName }));
  const { AccessKey } = await iam(first).send(new CreateAccessKeyCommand({ UserName }));
  const key = {
    accessKeyId: AccessKey?.AccessKeyId ?? "",
    secretAccessKey: AccessKey?.SecretAccessKey ?? "",
  };
  await becomes(second, key, "AccessDeniedException");
  const PolicyDocument = allow("ecr:DescribeRepositories");
  const policy = { UserName, PolicyName: "look", PolicyDocument };
  await iam(second).send(new PutUserPolicyCommand(policy));
  await becomes(second, key);
  await becomes(first, key);
  const revoked = { UserName, AccessKeyId: key.accessKeyId, Status: "Inactive" } as const;
  await iam(second).send(new UpdateAccessKeyCommand(revoked));
  await becomes(second, key, "UnrecognizedClientException");
  await becomes(first, key, "UnrecognizedClientException");
});

const createdSchema = v.object({ accessKeyId: v.string(), secretAccessKey: v.string() });

test("an account that is made in one region has its root and its templates in the other", async () => {
  const account = "444455556666";
  const config = ["--config", regions.configuration(first)];
  const made = await runPortolan(["account", "create", account, "--json", ...config]);
  expect(made.stderr).toBe("");
  const root = v.parse(createdSchema, JSON.parse(made.stdout));
  await becomes(second, root);
  const again = await runPortolan([
    ...["account", "create", account, "--config", regions.configuration(second)],
  ]);
  expect(again.stderr).toContain(`the account ${account} is there already`);
  const text = `${root.accessKeyId}:${root.secretAccessKey}`;
  const headers = { authorization: `Basic ${Buffer.from(text).toString("base64")}` };
  // The template by which a push creates its repository.
  await waitUntil("the first template", async () => {
    const url = `${regions.region(second).endpoint}/v2/pushed/blobs/uploads/`;
    return (await fetch(url, { method: "POST", headers })).status === 202;
  });
});

test("the root of the configuration is one in all regions", async () => {
  const { stdout } = await runPortolan([
    ...["account", "create", regions.account, "--config", regions.configuration(second)],
  ]);
  expect(stdout).toBe("");
  for (const region of regions.names)
    expect(await refusal(region, regions.credentials)).toBeUndefined();
});
