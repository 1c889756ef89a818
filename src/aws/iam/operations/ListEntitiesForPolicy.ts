/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListEntitiesForPolicy.html */
import type { ListEntitiesForPolicyResponse } from "@aws-sdk/client-iam";
import * as v from "valibot";
import { listIdentities } from "../../../access/identities/identity-context.ts";
import { managedPolicies } from "../../../access/managed-policies.ts";
import { optional } from "../../query-operation.ts";
import { arn, operation, page, pathPrefix, read } from "../operation.ts";
import { permissionOnPolicy, requireOwnPolicy } from "../policy-arn.ts";

export const ListEntitiesForPolicy = operation({
  input: v.object({
    ...page,
    PolicyArn: arn,
    PathPrefix: pathPrefix,
    EntityFilter: optional(
      v.picklist(["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"]),
    ),
  }),
  permission: (call, { PolicyArn }) =>
    permissionOnPolicy(call, "iam:ListEntitiesForPolicy", PolicyArn),
  async handle(call, input): Promise<ListEntitiesForPolicyResponse> {
    const { PolicyArn, PathPrefix = "/", EntityFilter } = input;
    const { account } = call.principal;
    if (!managedPolicies.has(PolicyArn)) await requireOwnPolicy(call, PolicyArn);
    const attachedTo = async <T extends "user" | "group" | "role">(type: T) => {
      if (EntityFilter !== undefined && EntityFilter.toLowerCase() !== type) return [];
      const all = await listIdentities(read(call), type, account);
      return all.filter(
        ({ path, attachedPolicies }) =>
          path.startsWith(PathPrefix) && attachedPolicies.includes(PolicyArn),
      );
    };
    const [users, groups, roles] = await Promise.all([
      attachedTo("user"),
      attachedTo("group"),
      attachedTo("role"),
    ]);
    return {
      PolicyUsers: users.map(({ name, id }) => ({ UserName: name, UserId: id })),
      PolicyGroups: groups.map(({ name, id }) => ({ GroupName: name, GroupId: id })),
      PolicyRoles: roles.map(({ name, id }) => ({ RoleName: name, RoleId: id })),
      IsTruncated: false,
    };
  },
});
