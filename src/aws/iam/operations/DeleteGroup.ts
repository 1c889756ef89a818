/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteGroup.html */
import * as v from "valibot";
import { deleteGroup } from "../../../access/identities/delete-group.ts";
import { groupName, operation, permissionOn, target } from "../operation.ts";

export const DeleteGroup = operation({
  input: v.object({ GroupName: groupName }),
  permission: (call, { GroupName }) => permissionOn(call, "iam:DeleteGroup", "group", GroupName),
  async handle(call, { GroupName }) {
    await deleteGroup(call.service.identities, target(call, GroupName));
    return undefined;
  },
});
