/** The real SDK manages groups, managed policies, boundaries, tags and instance profiles. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import * as sdk from "@aws-sdk/client-iam";
import { type AwsEndpoint, startAwsEndpoint } from "../../../tests/support/aws-endpoint.ts";
import { ecrClient, refusal } from "../../../tests/support/ecr-client.ts";
import {
  allow,
  iamClient,
  type TestCredentials,
  userWith,
} from "../../../tests/support/iam-client.ts";

const tokens = allow("ecr:GetAuthorizationToken");
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

/** Whether the user may have a registry token. */
async function may(credentials: TestCredentials): Promise<boolean> {
  const answer = ecrClient(endpoint, { credentials }).send(new GetAuthorizationTokenCommand());
  const { name } = await refusal(answer);
  if (name !== "accepted" && name !== "AccessDeniedException") throw new Error(name);
  return name === "accepted";
}

async function policy(PolicyName: string, PolicyDocument: string): Promise<string> {
  const { Policy } = await iam.send(new sdk.CreatePolicyCommand({ PolicyName, PolicyDocument }));
  return Policy?.Arn ?? "";
}

test("a user has the rights of its groups while it is in them", async () => {
  const credentials = await userWith(endpoint, "member");
  const member = { GroupName: "pullers", UserName: "member" };
  const { Group } = await iam.send(new sdk.CreateGroupCommand({ GroupName: "pullers" }));
  expect(Group?.Arn).toBe("arn:aws:iam::111122223333:group/pullers");
  const inline = { GroupName: "pullers", PolicyName: "tokens", PolicyDocument: tokens };
  await iam.send(new sdk.PutGroupPolicyCommand(inline));
  expect(await may(credentials)).toBe(false);
  await iam.send(new sdk.AddUserToGroupCommand(member));
  expect(await may(credentials)).toBe(true);
  const listed = await iam.send(new sdk.ListGroupsForUserCommand({ UserName: "member" }));
  expect(listed.Groups?.map(({ GroupName }) => GroupName)).toEqual(["pullers"]);
  const found = await iam.send(new sdk.GetGroupCommand({ GroupName: "pullers" }));
  expect(found.Users?.map(({ UserName }) => UserName)).toEqual(["member"]);
  expect((await refusal(iam.send(new sdk.DeleteGroupCommand({ GroupName: "pullers" })))).name).toBe(
    "DeleteConflictException",
  );
  await iam.send(new sdk.RemoveUserFromGroupCommand(member));
  expect(await may(credentials)).toBe(false);
  const gone = await refusal(iam.send(new sdk.RemoveUserFromGroupCommand(member)));
  expect(gone.name).toBe("NoSuchEntityException");
});

test("the default version of a managed policy counts, and no other", async () => {
  const credentials = await userWith(endpoint, "versions");
  const PolicyArn = await policy("versioned", allow("ecr:CreateRepository"));
  expect(PolicyArn).toBe("arn:aws:iam::111122223333:policy/versioned");
  await iam.send(new sdk.AttachUserPolicyCommand({ UserName: "versions", PolicyArn }));
  const { PolicyVersion } = await iam.send(
    new sdk.CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: tokens }),
  );
  expect(PolicyVersion).toMatchObject({ VersionId: "v2", IsDefaultVersion: false });
  expect(await may(credentials)).toBe(false);
  await iam.send(new sdk.SetDefaultPolicyVersionCommand({ PolicyArn, VersionId: "v2" }));
  expect(await may(credentials)).toBe(true);
  const read = await iam.send(new sdk.GetPolicyVersionCommand({ PolicyArn, VersionId: "v2" }));
  expect(decodeURIComponent(read.PolicyVersion?.Document ?? "")).toBe(tokens);
  const { Policy } = await iam.send(new sdk.GetPolicyCommand({ PolicyArn }));
  expect(Policy).toMatchObject({ DefaultVersionId: "v2", AttachmentCount: 1, IsAttachable: true });
  const entities = await iam.send(new sdk.ListEntitiesForPolicyCommand({ PolicyArn }));
  expect(entities.PolicyUsers?.map(({ UserName }) => UserName)).toEqual(["versions"]);

  const remove = (VersionId: string) =>
    refusal(iam.send(new sdk.DeletePolicyVersionCommand({ PolicyArn, VersionId })));
  expect((await remove("v2")).name).toBe("DeleteConflictException");
  expect((await refusal(iam.send(new sdk.DeletePolicyCommand({ PolicyArn })))).name).toBe(
    "DeleteConflictException",
  );
  expect((await remove("v1")).name).toBe("accepted");
  for (const _ of [3, 4, 5, 6]) {
    await iam.send(new sdk.CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: tokens }));
  }
  const sixth = new sdk.CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: tokens });
  expect((await refusal(iam.send(sixth))).name).toBe("LimitExceededException");
  const { Versions = [] } = await iam.send(new sdk.ListPolicyVersionsCommand({ PolicyArn }));
  expect(Versions.map(({ VersionId }) => VersionId)).toEqual(["v6", "v5", "v4", "v3", "v2"]);
});

test("lists AWS's policies and the account's own", async () => {
  await policy("listed", tokens);
  const names = async (Scope: "AWS" | "Local" | "All") => {
    const { Policies = [] } = await iam.send(new sdk.ListPoliciesCommand({ Scope }));
    return Policies.map(({ PolicyName }) => PolicyName ?? "");
  };
  expect(await names("Local")).toContain("listed");
  expect(await names("Local")).not.toContain("AdministratorAccess");
  expect(await names("AWS")).toContain("AmazonEC2ContainerRegistryPowerUser");
  expect((await names("All")).length).toBe(
    (await names("AWS")).length + (await names("Local")).length,
  );
  const PolicyArn = "arn:aws:iam::aws:policy/AdministratorAccess";
  expect((await refusal(iam.send(new sdk.DeletePolicyCommand({ PolicyArn })))).name).toBe(
    "AccessDenied",
  );
});

test("a permissions boundary limits and gives nothing", async () => {
  const credentials = await userWith(endpoint, "bounded", tokens);
  const PermissionsBoundary = await policy("boundary", allow("ecr:DescribeRepositories"));
  const bounded = { UserName: "bounded", PermissionsBoundary };
  expect(await may(credentials)).toBe(true);
  await iam.send(new sdk.PutUserPermissionsBoundaryCommand(bounded));
  expect(await may(credentials)).toBe(false);
  const { User } = await iam.send(new sdk.GetUserCommand({ UserName: "bounded" }));
  expect(User?.PermissionsBoundary?.PermissionsBoundaryArn).toBe(PermissionsBoundary);
  const used = await refusal(
    iam.send(new sdk.DeletePolicyCommand({ PolicyArn: PermissionsBoundary })),
  );
  expect(used.name).toBe("DeleteConflictException");
  await iam.send(new sdk.DeleteUserPermissionsBoundaryCommand({ UserName: "bounded" }));
  expect(await may(credentials)).toBe(true);
});

test("tags are set, listed and removed", async () => {
  const UserName = "tagged";
  await iam.send(new sdk.CreateUserCommand({ UserName, Tags: [{ Key: "a", Value: "1" }] }));
  const Tags = [
    { Key: "a", Value: "2" },
    { Key: "b", Value: "" },
  ];
  await iam.send(new sdk.TagUserCommand({ UserName, Tags }));
  expect((await iam.send(new sdk.ListUserTagsCommand({ UserName }))).Tags).toEqual(Tags);
  await iam.send(new sdk.UntagUserCommand({ UserName, TagKeys: ["a"] }));
  expect((await iam.send(new sdk.ListUserTagsCommand({ UserName }))).Tags).toEqual([
    { Key: "b", Value: "" },
  ]);
});

test("an instance profile has one role, which cannot be deleted meanwhile", async () => {
  const RoleName = "machine";
  const AssumeRolePolicyDocument = JSON.stringify({
    Version: "2012-10-17",
    Statement: {
      Effect: "Allow",
      Principal: { Service: "ec2.amazonaws.com" },
      Action: "sts:AssumeRole",
    },
  });
  const description = "for machines & <more>";
  const created = await iam.send(
    new sdk.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument, Description: description }),
  );
  expect(created.Role?.Description).toBe(description);
  expect(decodeURIComponent(created.Role?.AssumeRolePolicyDocument ?? "")).toBe(
    AssumeRolePolicyDocument,
  );
  const InstanceProfileName = "machines";
  await iam.send(new sdk.CreateInstanceProfileCommand({ InstanceProfileName }));
  const pair = { InstanceProfileName, RoleName };
  await iam.send(new sdk.AddRoleToInstanceProfileCommand(pair));
  expect((await refusal(iam.send(new sdk.AddRoleToInstanceProfileCommand(pair)))).name).toBe(
    "LimitExceededException",
  );
  const read = await iam.send(new sdk.GetInstanceProfileCommand({ InstanceProfileName }));
  expect(read.InstanceProfile?.Roles?.map((role) => role.RoleName)).toEqual([RoleName]);
  const forRole = await iam.send(new sdk.ListInstanceProfilesForRoleCommand({ RoleName }));
  expect(forRole.InstanceProfiles).toHaveLength(1);
  const conflict = "DeleteConflictException";
  expect((await refusal(iam.send(new sdk.DeleteRoleCommand({ RoleName })))).name).toBe(conflict);
  await iam.send(new sdk.RemoveRoleFromInstanceProfileCommand(pair));
  await iam.send(new sdk.DeleteInstanceProfileCommand({ InstanceProfileName }));
  await iam.send(new sdk.DeleteRoleCommand({ RoleName }));
});

test("a role with a bad trust policy is not created", async () => {
  const create = (AssumeRolePolicyDocument: string) =>
    refusal(iam.send(new sdk.CreateRoleCommand({ RoleName: "bad", AssumeRolePolicyDocument })));
  expect((await create(allow("sts:AssumeRole"))).name).toBe("MalformedPolicyDocumentException");
  expect((await create("[]")).name).toBe("MalformedPolicyDocumentException");
  expect((await refusal(iam.send(new sdk.GetRoleCommand({ RoleName: "bad" })))).name).toBe(
    "NoSuchEntityException",
  );
});
