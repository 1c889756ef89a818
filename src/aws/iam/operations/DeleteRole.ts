/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html */
import * as v from "valibot";
import { deleteRole } from "../../../access/identities/delete-role.ts";
import { operation, permissionOn, roleName, target } from "../operation.ts";

export const DeleteRole = operation({
  input: v.object({ RoleName: roleName }),
  permission: (call, { RoleName }) => permissionOn(call, "iam:DeleteRole", "role", RoleName),
  async handle(call, { RoleName }) {
    await deleteRole(call.service.identities, target(call, RoleName));
    return undefined;
  },
});
