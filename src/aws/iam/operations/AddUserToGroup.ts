/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddUserToGroup.html */
import * as v from "valibot";
import { addUserToGroup } from "../../../access/identities/group-members.ts";
import { groupName, operation, permissionOn, target, userName } from "../operation.ts";

export const AddUserToGroup = operation({
  input: v.object({ GroupName: groupName, UserName: userName }),
  permission: (call, { GroupName }) => permissionOn(call, "iam:AddUserToGroup", "group", GroupName),
  async handle(call, { GroupName, UserName }) {
    await addUserToGroup(call.service.identities, target(call, UserName), GroupName);
    return undefined;
  },
});
