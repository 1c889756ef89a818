/** What IAM keeps, in the shapes of its answers. */
import type {
  AttachedPermissionsBoundary,
  Group as GroupShape,
  InstanceProfile as InstanceProfileShape,
  Policy,
  Role as RoleShape,
  User as UserShape,
} from "@aws-sdk/client-iam";
import { identityArn } from "../../access/identities/identity-arn.ts";
import type {
  CustomerPolicy,
  Group,
  InstanceProfile,
  Role,
  User,
} from "../../access/identities/identity-documents.ts";
import type { PolicyUses } from "../../access/identities/policy-uses.ts";
import type { ManagedPolicy } from "../../access/managed-policies.ts";
import { encodedDocument, tagList } from "./operation.ts";

export function userShape(account: string, user: User) {
  return {
    Path: user.path,
    UserName: user.name,
    UserId: user.id,
    Arn: identityArn(account, "user", user),
    CreateDate: new Date(user.createdAt),
    ...boundaryShape(user.boundary),
    ...tagsShape(user.tags),
  } satisfies UserShape;
}

export function groupShape(account: string, group: Group) {
  return {
    Path: group.path,
    GroupName: group.name,
    GroupId: group.id,
    Arn: identityArn(account, "group", group),
    CreateDate: new Date(group.createdAt),
  } satisfies GroupShape;
}

export function roleShape(account: string, role: Role) {
  return {
    Path: role.path,
    RoleName: role.name,
    RoleId: role.id,
    Arn: identityArn(account, "role", role),
    CreateDate: new Date(role.createdAt),
    AssumeRolePolicyDocument: encodedDocument(role.trustPolicy),
    Description: role.description,
    MaxSessionDuration: role.maxSessionSeconds,
    ...boundaryShape(role.boundary),
    ...tagsShape(role.tags),
  } satisfies RoleShape;
}

/** By the ARN of a policy. */
export type UsesOf = (arn: string) => PolicyUses;

export function policyShape(account: string, policy: CustomerPolicy, usesOf: UsesOf) {
  const Arn = identityArn(account, "policy", policy);
  const { attachments, boundaries } = usesOf(Arn);
  return {
    PolicyName: policy.name,
    PolicyId: policy.id,
    Arn,
    Path: policy.path,
    DefaultVersionId: policy.defaultVersion,
    AttachmentCount: attachments,
    PermissionsBoundaryUsageCount: boundaries,
    IsAttachable: true,
    Description: policy.description,
    CreateDate: new Date(policy.createdAt),
    UpdateDate: new Date(policy.updatedAt),
    ...tagsShape(policy.tags),
  } satisfies Policy;
}

export function managedPolicyShape(policy: ManagedPolicy, usesOf: UsesOf) {
  const { attachments, boundaries } = usesOf(policy.arn);
  return {
    PolicyName: policy.name,
    PolicyId: policy.id,
    Arn: policy.arn,
    Path: policy.path,
    DefaultVersionId: policy.versionId,
    AttachmentCount: attachments,
    PermissionsBoundaryUsageCount: boundaries,
    IsAttachable: true,
    Description: policy.description,
    CreateDate: new Date(policy.createdAt),
    UpdateDate: new Date(policy.updatedAt),
  } satisfies Policy;
}

export function instanceProfileShape(
  account: string,
  profile: InstanceProfile,
  roles: readonly Role[],
) {
  return {
    Path: profile.path,
    InstanceProfileName: profile.name,
    InstanceProfileId: profile.id,
    Arn: identityArn(account, "instance-profile", profile),
    CreateDate: new Date(profile.createdAt),
    Roles: roles.map((role) => roleShape(account, role)),
    ...tagsShape(profile.tags),
  } satisfies InstanceProfileShape;
}

function boundaryShape(boundary: string | undefined): {
  PermissionsBoundary?: AttachedPermissionsBoundary;
} {
  if (boundary === undefined) return {};
  return {
    PermissionsBoundary: {
      PermissionsBoundaryType: "PermissionsBoundaryPolicy",
      PermissionsBoundaryArn: boundary,
    },
  };
}

function tagsShape(tags: Readonly<Record<string, string>>) {
  return Object.keys(tags).length === 0 ? {} : { Tags: tagList(tags) };
}
