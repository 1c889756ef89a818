/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_RemoveRoleFromInstanceProfile.html */
import * as v from "valibot";
import { removeRoleFromInstanceProfile } from "../../../access/identities/instance-profile-roles.ts";
import { instanceProfileName, operation, permissionOn, roleName, target } from "../operation.ts";

export const RemoveRoleFromInstanceProfile = operation({
  input: v.object({ InstanceProfileName: instanceProfileName, RoleName: roleName }),
  permission: (call, { InstanceProfileName }) =>
    permissionOn(
      call,
      "iam:RemoveRoleFromInstanceProfile",
      "instance-profile",
      InstanceProfileName,
    ),
  async handle(call, { InstanceProfileName, RoleName }) {
    const profile = target(call, InstanceProfileName);
    await removeRoleFromInstanceProfile(call.service.identities, profile, RoleName);
    return undefined;
  },
});
