/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteInstanceProfile.html */
import * as v from "valibot";
import { deleteInstanceProfile } from "../../../access/identities/delete-instance-profile.ts";
import { instanceProfileName, operation, permissionOn, target } from "../operation.ts";

export const DeleteInstanceProfile = operation({
  input: v.object({ InstanceProfileName: instanceProfileName }),
  permission: (call, { InstanceProfileName }) =>
    permissionOn(call, "iam:DeleteInstanceProfile", "instance-profile", InstanceProfileName),
  async handle(call, { InstanceProfileName }) {
    await deleteInstanceProfile(call.service.identities, target(call, InstanceProfileName));
    return undefined;
  },
});
