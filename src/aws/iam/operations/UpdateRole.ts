/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateRole.html */
import type { UpdateRoleResponse } from "@aws-sdk/client-iam";
import * as v from "valibot";
import { updateRole } from "../../../access/identities/update-role.ts";
import { integer, optional } from "../../query-operation.ts";
import { description, operation, permissionOn, roleName, target } from "../operation.ts";

export const UpdateRole = operation({
  input: v.object({
    RoleName: roleName,
    Description: optional(description),
    MaxSessionDuration: optional(integer(3600, 43_200)),
  }),
  permission: (call, { RoleName }) => permissionOn(call, "iam:UpdateRole", "role", RoleName),
  async handle(call, input): Promise<UpdateRoleResponse> {
    await updateRole(call.service.identities, target(call, input.RoleName), {
      description: input.Description,
      maxSessionSeconds: input.MaxSessionDuration,
    });
    return {};
  },
});
