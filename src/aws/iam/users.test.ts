/** The real SDK manages users, their keys and their inline policies. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { CreateRepositoryCommand, GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import * as sdk from "@aws-sdk/client-iam";
import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { type AwsEndpoint, startAwsEndpoint } from "../../../tests/support/aws-endpoint.ts";
import { ecrClient, refusal } from "../../../tests/support/ecr-client.ts";
import { allow, iamClient, stsClient, userWith } from "../../../tests/support/iam-client.ts";

let endpoint: AwsEndpoint;
let iam: sdk.IAMClient;

beforeAll(async () => {
  endpoint = await startAwsEndpoint();
  iam = iamClient(endpoint);
});
afterAll(async () => {
  expect(endpoint.unforeseen).toEqual([]);
  await endpoint[Symbol.asyncDispose]();
});

test("says who asks", async () => {
  const root = await stsClient(endpoint).send(new GetCallerIdentityCommand());
  expect(root).toMatchObject({
    Account: "111122223333",
    Arn: "arn:aws:iam::111122223333:root",
    UserId: "111122223333",
  });
  const who = await userWith(endpoint, "who");
  const user = await stsClient(endpoint, who).send(new GetCallerIdentityCommand());
  expect(user.Arn).toBe("arn:aws:iam::111122223333:user/who");
  expect(user.UserId).toMatch(/^AIDA[A-Z2-7]{16}$/);
});

test("creates, reads, lists and deletes users", async () => {
  const input = { UserName: "Jo.Doe", Path: "/team/", Tags: [{ Key: "team", Value: "red-1" }] };
  const { User: created } = await iam.send(new sdk.CreateUserCommand(input));
  expect(created).toMatchObject({ ...input, Arn: "arn:aws:iam::111122223333:user/team/Jo.Doe" });
  expect(created?.CreateDate?.getTime()).toBeGreaterThan(1_500_000_000_000);
  expect(await refusal(iam.send(new sdk.CreateUserCommand({ UserName: "jo.doe" })))).toEqual({
    name: "EntityAlreadyExistsException",
    message: "User with name jo.doe already exists.",
  });
  const { User: read } = await iam.send(new sdk.GetUserCommand({ UserName: "Jo.Doe" }));
  expect(read).toEqual(created);
  const { Users = [] } = await iam.send(new sdk.ListUsersCommand({ PathPrefix: "/team/" }));
  expect(Users.map(({ UserName }) => UserName)).toEqual(["Jo.Doe"]);
  await iam.send(new sdk.DeleteUserCommand({ UserName: "Jo.Doe" }));
  expect(await refusal(iam.send(new sdk.GetUserCommand({ UserName: "Jo.Doe" })))).toEqual({
    name: "NoSuchEntityException",
    message: "The user with name Jo.Doe cannot be found.",
  });
});

test("lists page by page", async () => {
  for (const number of [1, 2, 3]) {
    await iam.send(new sdk.CreateUserCommand({ UserName: `paged${number}`, Path: "/paged/" }));
  }
  const names: (string | undefined)[] = [];
  const pages = sdk.paginateListUsers({ client: iam, pageSize: 2 }, { PathPrefix: "/paged/" });
  const lengths: number[] = [];
  for await (const { Users = [] } of pages) {
    lengths.push(Users.length);
    names.push(...Users.map(({ UserName }) => UserName));
  }
  expect(lengths).toEqual([2, 1]);
  expect(names).toEqual(["paged1", "paged2", "paged3"]);
});

test("gives two keys to a user and no third, and none works when it is switched off", async () => {
  const first = await userWith(endpoint, "keys");
  const UserName = "keys";
  const second = await iam.send(new sdk.CreateAccessKeyCommand({ UserName }));
  expect(await refusal(iam.send(new sdk.CreateAccessKeyCommand({ UserName })))).toEqual({
    name: "LimitExceededException",
    message: "Cannot exceed quota for AccessKeysPerUser: 2",
  });
  const listed = await iam.send(new sdk.ListAccessKeysCommand({ UserName }));
  expect(listed.AccessKeyMetadata).toHaveLength(2);
  expect(JSON.stringify(listed)).not.toContain(first.secretAccessKey);

  const AccessKeyId = first.accessKeyId;
  const sts = stsClient(endpoint, first);
  await sts.send(new GetCallerIdentityCommand());
  await iam.send(new sdk.UpdateAccessKeyCommand({ UserName, AccessKeyId, Status: "Inactive" }));
  expect(await refusal(sts.send(new GetCallerIdentityCommand()))).toEqual({
    name: "InvalidClientTokenId",
    message: "The security token included in the request is invalid.",
  });
  await iam.send(new sdk.UpdateAccessKeyCommand({ UserName, AccessKeyId, Status: "Active" }));
  await sts.send(new GetCallerIdentityCommand());
  expect(await refusal(iam.send(new sdk.DeleteUserCommand({ UserName })))).toEqual({
    name: "DeleteConflictException",
    message: "Cannot delete entity, must delete access keys first.",
  });
  await iam.send(new sdk.DeleteAccessKeyCommand({ UserName, AccessKeyId }));
  expect((await refusal(sts.send(new GetCallerIdentityCommand()))).name).toBe(
    "InvalidClientTokenId",
  );
  const other = { UserName, AccessKeyId: second.AccessKey?.AccessKeyId };
  await iam.send(new sdk.DeleteAccessKeyCommand(other));
  expect((await refusal(iam.send(new sdk.DeleteAccessKeyCommand(other)))).name).toBe(
    "NoSuchEntityException",
  );
});

test("tells when a key was used last, and for what", async () => {
  const credentials = await userWith(endpoint, "used");
  const { accessKeyId: AccessKeyId } = credentials;
  const lastUsed = () => iam.send(new sdk.GetAccessKeyLastUsedCommand({ AccessKeyId }));
  expect((await lastUsed()).AccessKeyLastUsed).toMatchObject({ ServiceName: "N/A" });
  await stsClient(endpoint, credentials).send(new GetCallerIdentityCommand());
  const { UserName, AccessKeyLastUsed: used } = await lastUsed();
  expect({ UserName, service: used?.ServiceName, region: used?.Region }).toEqual({
    UserName: "used",
    service: "sts",
    region: "us-east-1",
  });
  const age = endpoint.registry.clock.now() - (used?.LastUsedDate?.getTime() ?? 0);
  expect(Math.abs(age)).toBeLessThan(60_000);
});

test("a registry token ends at once when its key is switched off", async () => {
  const credentials = await userWith(endpoint, "login", allow("ecr:GetAuthorizationToken"));
  const ecr = ecrClient(endpoint, { credentials });
  const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand());
  const header = `Basic ${authorizationData?.[0]?.authorizationToken}`;
  expect(await endpoint.access.authenticateBasic(header)).toHaveProperty("principal");
  const { accessKeyId: AccessKeyId } = credentials;
  const change = { UserName: "login", AccessKeyId, Status: "Inactive" } as const;
  await iam.send(new sdk.UpdateAccessKeyCommand(change));
  expect(await endpoint.access.authenticateBasic(header)).toEqual({ failure: "invalid" });
});

test("a key is of no use with another's secret", async () => {
  const [a, b] = [await userWith(endpoint, "mix-a"), await userWith(endpoint, "mix-b")];
  const mixed = { ...a, secretAccessKey: b.secretAccessKey };
  expect(
    (await refusal(stsClient(endpoint, mixed).send(new GetCallerIdentityCommand()))).name,
  ).toBe("SignatureDoesNotMatch");
});

test("an inline policy counts from its writing on, and no longer than until its deletion", async () => {
  const credentials = await userWith(endpoint, "inline");
  const ecr = ecrClient(endpoint, { credentials });
  const create = () =>
    ecr.send(new CreateRepositoryCommand({ repositoryName: `r${Math.random()}`.slice(0, 12) }));
  const refused = {
    name: "AccessDeniedException",
    message: expect.stringMatching(
      /^User: arn:aws:iam::111122223333:user\/inline is not authorized to perform: ecr:CreateRepository on resource: arn:aws:ecr:us-east-1:111122223333:repository\/r0\.\d+ because no identity-based policy allows the ecr:CreateRepository action$/,
    ),
  };
  expect(await refusal(create())).toEqual(refused);
  const policy = { UserName: "inline", PolicyName: "create" };
  const PolicyDocument = allow("ecr:*", "arn:aws:ecr:us-east-1:111122223333:repository/r*");
  await iam.send(new sdk.PutUserPolicyCommand({ ...policy, PolicyDocument }));
  await create();
  const read = await iam.send(new sdk.GetUserPolicyCommand(policy));
  expect(decodeURIComponent(read.PolicyDocument ?? "")).toBe(PolicyDocument);
  const listed = await iam.send(new sdk.ListUserPoliciesCommand({ UserName: "inline" }));
  expect(listed).toMatchObject({ PolicyNames: ["create"], IsTruncated: false });
  await iam.send(new sdk.DeleteUserPolicyCommand(policy));
  expect(await refusal(create())).toEqual(refused);
  expect((await refusal(iam.send(new sdk.GetUserPolicyCommand(policy)))).name).toBe(
    "NoSuchEntityException",
  );
});

test("managed policies of AWS are attached and detached", async () => {
  const credentials = await userWith(endpoint, "attached");
  const ecr = ecrClient(endpoint, { credentials });
  const PolicyArn = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly";
  const attachment = { UserName: "attached", PolicyArn };
  await iam.send(new sdk.AttachUserPolicyCommand(attachment));
  await ecr.send(new GetAuthorizationTokenCommand());
  const listed = await iam.send(new sdk.ListAttachedUserPoliciesCommand({ UserName: "attached" }));
  expect(listed.AttachedPolicies).toEqual([
    { PolicyName: "AmazonEC2ContainerRegistryPullOnly", PolicyArn },
  ]);
  await iam.send(new sdk.DetachUserPolicyCommand(attachment));
  expect((await refusal(ecr.send(new GetAuthorizationTokenCommand()))).name).toBe(
    "AccessDeniedException",
  );
  const unknown = { ...attachment, PolicyArn: "arn:aws:iam::aws:policy/NoSuchPolicy" };
  expect(await refusal(iam.send(new sdk.AttachUserPolicyCommand(unknown)))).toEqual({
    name: "NoSuchEntityException",
    message: "Policy arn:aws:iam::aws:policy/NoSuchPolicy does not exist or is not attachable.",
  });
});

test("bad input is refused in IAM's words", async () => {
  const policy = { UserName: "who", PolicyName: "bad" };
  const put = (PolicyDocument: string) =>
    refusal(iam.send(new sdk.PutUserPolicyCommand({ ...policy, PolicyDocument })));
  expect(await put("{")).toEqual({
    name: "MalformedPolicyDocumentException",
    message: "This policy contains invalid Json",
  });
  expect((await put(allow("ecr:*", `arn:aws:ecr:::${"x".repeat(3000)}`))).name).toBe(
    "LimitExceededException",
  );
  expect(await refusal(iam.send(new sdk.CreateUserCommand({ UserName: "a b" })))).toEqual({
    name: "ValidationError",
    message:
      "1 validation error detected: Value at 'userName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]+",
  });
  expect((await refusal(iam.send(new sdk.ListUsersCommand({ MaxItems: 0 })))).name).toBe(
    "ValidationError",
  );
});

test("a user needs permission for IAM too", async () => {
  const own = await userWith(
    endpoint,
    "self",
    allow("iam:GetUser", "arn:aws:iam::111122223333:user/self"),
  );
  const client = iamClient(endpoint, own);
  const { User } = await client.send(new sdk.GetUserCommand({}));
  expect(User?.UserName).toBe("self");
  expect(await refusal(client.send(new sdk.CreateUserCommand({ UserName: "more" })))).toEqual({
    name: "AccessDenied",
    message:
      "User: arn:aws:iam::111122223333:user/self is not authorized to perform: iam:CreateUser on resource: arn:aws:iam::111122223333:user/more because no identity-based policy allows the iam:CreateUser action",
  });
});
