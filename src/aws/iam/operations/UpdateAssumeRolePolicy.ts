/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAssumeRolePolicy.html */
import * as v from "valibot";
import { updateRole } from "../../../access/identities/update-role.ts";
import { operation, permissionOn, policyDocument, roleName, target } from "../operation.ts";

export const UpdateAssumeRolePolicy = operation({
  input: v.object({ RoleName: roleName, PolicyDocument: policyDocument }),
  permission: (call, { RoleName }) =>
    permissionOn(call, "iam:UpdateAssumeRolePolicy", "role", RoleName),
  async handle(call, { RoleName, PolicyDocument }) {
    const change = { trustPolicy: PolicyDocument };
    await updateRole(call.service.identities, target(call, RoleName), change);
    return undefined;
  },
});
