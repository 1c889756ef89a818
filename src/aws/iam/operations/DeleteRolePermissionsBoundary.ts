/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRolePermissionsBoundary.html */
import * as v from "valibot";
import { setBoundary } from "../../../access/identities/boundary.ts";
import { operation, permissionOn, roleName, target } from "../operation.ts";

export const DeleteRolePermissionsBoundary = operation({
  input: v.object({ RoleName: roleName }),
  permission: (call, { RoleName }) =>
    permissionOn(call, "iam:DeleteRolePermissionsBoundary", "role", RoleName),
  async handle(call, { RoleName }) {
    await setBoundary(call.service.identities, "role", target(call, RoleName), undefined);
    return undefined;
  },
});
