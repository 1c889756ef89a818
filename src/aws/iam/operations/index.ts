/** Every operation of IAM that is here, by its name. */
import type { QueryOperation } from "../../query-operation.ts";
import type { IamContext } from "../operation.ts";
import { AddRoleToInstanceProfile } from "./AddRoleToInstanceProfile.ts";
import { AddUserToGroup } from "./AddUserToGroup.ts";
import { AttachGroupPolicy } from "./AttachGroupPolicy.ts";
import { AttachRolePolicy } from "./AttachRolePolicy.ts";
import { AttachUserPolicy } from "./AttachUserPolicy.ts";
import { CreateAccessKey } from "./CreateAccessKey.ts";
import { CreateGroup } from "./CreateGroup.ts";
import { CreateInstanceProfile } from "./CreateInstanceProfile.ts";
import { CreatePolicy } from "./CreatePolicy.ts";
import { CreatePolicyVersion } from "./CreatePolicyVersion.ts";
import { CreateRole } from "./CreateRole.ts";
import { CreateUser } from "./CreateUser.ts";
import { DeleteAccessKey } from "./DeleteAccessKey.ts";
import { DeleteGroup } from "./DeleteGroup.ts";
import { DeleteGroupPolicy } from "./DeleteGroupPolicy.ts";
import { DeleteInstanceProfile } from "./DeleteInstanceProfile.ts";
import { DeletePolicy } from "./DeletePolicy.ts";
import { DeletePolicyVersion } from "./DeletePolicyVersion.ts";
import { DeleteRole } from "./DeleteRole.ts";
import { DeleteRolePermissionsBoundary } from "./DeleteRolePermissionsBoundary.ts";
import { DeleteRolePolicy } from "./DeleteRolePolicy.ts";
import { DeleteUser } from "./DeleteUser.ts";
import { DeleteUserPermissionsBoundary } from "./DeleteUserPermissionsBoundary.ts";
import { DeleteUserPolicy } from "./DeleteUserPolicy.ts";
import { DetachGroupPolicy } from "./DetachGroupPolicy.ts";
import { DetachRolePolicy } from "./DetachRolePolicy.ts";
import { DetachUserPolicy } from "./DetachUserPolicy.ts";
import { GetAccessKeyLastUsed } from "./GetAccessKeyLastUsed.ts";
import { GetGroup } from "./GetGroup.ts";
import { GetGroupPolicy } from "./GetGroupPolicy.ts";
import { GetInstanceProfile } from "./GetInstanceProfile.ts";
import { GetPolicy } from "./GetPolicy.ts";
import { GetPolicyVersion } from "./GetPolicyVersion.ts";
import { GetRole } from "./GetRole.ts";
import { GetRolePolicy } from "./GetRolePolicy.ts";
import { GetUser } from "./GetUser.ts";
import { GetUserPolicy } from "./GetUserPolicy.ts";
import { ListAccessKeys } from "./ListAccessKeys.ts";
import { ListAttachedGroupPolicies } from "./ListAttachedGroupPolicies.ts";
import { ListAttachedRolePolicies } from "./ListAttachedRolePolicies.ts";
import { ListAttachedUserPolicies } from "./ListAttachedUserPolicies.ts";
import { ListEntitiesForPolicy } from "./ListEntitiesForPolicy.ts";
import { ListGroupPolicies } from "./ListGroupPolicies.ts";
import { ListGroups } from "./ListGroups.ts";
import { ListGroupsForUser } from "./ListGroupsForUser.ts";
import { ListInstanceProfiles } from "./ListInstanceProfiles.ts";
import { ListInstanceProfilesForRole } from "./ListInstanceProfilesForRole.ts";
import { ListInstanceProfileTags } from "./ListInstanceProfileTags.ts";
import { ListPolicies } from "./ListPolicies.ts";
import { ListPolicyTags } from "./ListPolicyTags.ts";
import { ListPolicyVersions } from "./ListPolicyVersions.ts";
import { ListRolePolicies } from "./ListRolePolicies.ts";
import { ListRoles } from "./ListRoles.ts";
import { ListRoleTags } from "./ListRoleTags.ts";
import { ListUserPolicies } from "./ListUserPolicies.ts";
import { ListUsers } from "./ListUsers.ts";
import { ListUserTags } from "./ListUserTags.ts";
import { PutGroupPolicy } from "./PutGroupPolicy.ts";
import { PutRolePermissionsBoundary } from "./PutRolePermissionsBoundary.ts";
import { PutRolePolicy } from "./PutRolePolicy.ts";
import { PutUserPermissionsBoundary } from "./PutUserPermissionsBoundary.ts";
import { PutUserPolicy } from "./PutUserPolicy.ts";
import { RemoveRoleFromInstanceProfile } from "./RemoveRoleFromInstanceProfile.ts";
import { RemoveUserFromGroup } from "./RemoveUserFromGroup.ts";
import { SetDefaultPolicyVersion } from "./SetDefaultPolicyVersion.ts";
import { TagInstanceProfile } from "./TagInstanceProfile.ts";
import { TagPolicy } from "./TagPolicy.ts";
import { TagRole } from "./TagRole.ts";
import { TagUser } from "./TagUser.ts";
import { UntagInstanceProfile } from "./UntagInstanceProfile.ts";
import { UntagPolicy } from "./UntagPolicy.ts";
import { UntagRole } from "./UntagRole.ts";
import { UntagUser } from "./UntagUser.ts";
import { UpdateAccessKey } from "./UpdateAccessKey.ts";
import { UpdateAssumeRolePolicy } from "./UpdateAssumeRolePolicy.ts";
import { UpdateRole } from "./UpdateRole.ts";

export const operations: Readonly<Record<string, QueryOperation<IamContext>>> = {
  AddRoleToInstanceProfile,
  AddUserToGroup,
  AttachGroupPolicy,
  AttachRolePolicy,
  AttachUserPolicy,
  CreateAccessKey,
  CreateGroup,
  CreateInstanceProfile,
  CreatePolicy,
  CreatePolicyVersion,
  CreateRole,
  CreateUser,
  DeleteAccessKey,
  DeleteGroup,
  DeleteGroupPolicy,
  DeleteInstanceProfile,
  DeletePolicy,
  DeletePolicyVersion,
  DeleteRole,
  DeleteRolePermissionsBoundary,
  DeleteRolePolicy,
  DeleteUser,
  DeleteUserPermissionsBoundary,
  DeleteUserPolicy,
  DetachGroupPolicy,
  DetachRolePolicy,
  DetachUserPolicy,
  GetAccessKeyLastUsed,
  GetGroup,
  GetGroupPolicy,
  GetInstanceProfile,
  GetPolicy,
  GetPolicyVersion,
  GetRole,
  GetRolePolicy,
  GetUser,
  GetUserPolicy,
  ListAccessKeys,
  ListAttachedGroupPolicies,
  ListAttachedRolePolicies,
  ListAttachedUserPolicies,
  ListEntitiesForPolicy,
  ListGroupPolicies,
  ListGroups,
  ListGroupsForUser,
  ListInstanceProfileTags,
  ListInstanceProfiles,
  ListInstanceProfilesForRole,
  ListPolicies,
  ListPolicyTags,
  ListPolicyVersions,
  ListRolePolicies,
  ListRoleTags,
  ListRoles,
  ListUserPolicies,
  ListUserTags,
  ListUsers,
  PutGroupPolicy,
  PutRolePermissionsBoundary,
  PutRolePolicy,
  PutUserPermissionsBoundary,
  PutUserPolicy,
  RemoveRoleFromInstanceProfile,
  RemoveUserFromGroup,
  SetDefaultPolicyVersion,
  TagInstanceProfile,
  TagPolicy,
  TagRole,
  TagUser,
  UntagInstanceProfile,
  UntagPolicy,
  UntagRole,
  UntagUser,
  UpdateAccessKey,
  UpdateAssumeRolePolicy,
  UpdateRole,
};
