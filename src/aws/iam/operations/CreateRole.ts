/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html */
import type { CreateRoleResponse } from "@aws-sdk/client-iam";
import * as v from "valibot";
import { createRole } from "../../../access/identities/create-role.ts";
import { integer, optional } from "../../query-operation.ts";
import {
  arn,
  description,
  operation,
  path,
  policyDocument,
  requestTags,
  roleName,
  tagRecord,
  tags,
  target,
} from "../operation.ts";
import { roleShape } from "../shapes.ts";

export const CreateRole = operation({
  input: v.object({
    RoleName: roleName,
    Path: path,
    AssumeRolePolicyDocument: policyDocument,
    Description: optional(description),
    MaxSessionDuration: v.optional(integer(3600, 43_200), "3600"),
    PermissionsBoundary: optional(arn),
    Tags: tags,
  }),
  permission(call, input) {
    const resource = `arn:aws:iam::${call.principal.account}:role${input.Path}${input.RoleName}`;
    const boundary = input.PermissionsBoundary;
    const conditions = {
      ...requestTags(input.Tags),
      ...(boundary !== undefined && { "iam:PermissionsBoundary": boundary }),
    };
    return { action: "iam:CreateRole", resource, conditions };
  },
  async handle(call, input): Promise<CreateRoleResponse> {
    const role = await createRole(call.service.identities, {
      ...target(call, input.RoleName),
      path: input.Path,
      trustPolicy: input.AssumeRolePolicyDocument,
      description: input.Description,
      maxSessionSeconds: input.MaxSessionDuration,
      boundary: input.PermissionsBoundary,
      tags: tagRecord(input.Tags),
    });
    return { Role: roleShape(call.principal.account, role) };
  },
});
