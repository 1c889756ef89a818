/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePermissionsBoundary.html */
import * as v from "valibot";
import { setBoundary } from "../../../access/identities/boundary.ts";
import { arn, operation, permissionOn, roleName, target } from "../operation.ts";

export const PutRolePermissionsBoundary = operation({
  input: v.object({ RoleName: roleName, PermissionsBoundary: arn }),
  permission: (call, { RoleName, PermissionsBoundary }) =>
    permissionOn(call, "iam:PutRolePermissionsBoundary", "role", RoleName, {
      "iam:PermissionsBoundary": PermissionsBoundary,
    }),
  async handle(call, { RoleName, PermissionsBoundary }) {
    await setBoundary(call.service.identities, "role", target(call, RoleName), PermissionsBoundary);
    return undefined;
  },
});
