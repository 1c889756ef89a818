/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddRoleToInstanceProfile.html */
import * as v from "valibot";
import { addRoleToInstanceProfile } from "../../../access/identities/instance-profile-roles.ts";
import { instanceProfileName, operation, permissionOn, roleName, target } from "../operation.ts";

export const AddRoleToInstanceProfile = operation({
  input: v.object({ InstanceProfileName: instanceProfileName, RoleName: roleName }),
  async permission(call, { InstanceProfileName, RoleName }) {
    return [
      await permissionOn(
        call,
        "iam:AddRoleToInstanceProfile",
        "instance-profile",
        InstanceProfileName,
      ),
      // The machine will be able to do what the role may.
      await permissionOn(call, "iam:PassRole", "role", RoleName, {
        "iam:PassedToService": "ec2.amazonaws.com",
      }),
    ];
  },
  async handle(call, { InstanceProfileName, RoleName }) {
    const profile = target(call, InstanceProfileName);
    await addRoleToInstanceProfile(call.service.identities, profile, RoleName);
    return undefined;
  },
});
