/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_RemoveUserFromGroup.html */
import * as v from "valibot";
import { removeUserFromGroup } from "../../../access/identities/group-members.ts";
import { groupName, operation, permissionOn, target, userName } from "../operation.ts";

export const RemoveUserFromGroup = operation({
  input: v.object({ GroupName: groupName, UserName: userName }),
  permission: (call, { GroupName }) =>
    permissionOn(call, "iam:RemoveUserFromGroup", "group", GroupName),
  async handle(call, { GroupName, UserName }) {
    await removeUserFromGroup(call.service.identities, target(call, UserName), GroupName);
    return undefined;
  },
});
