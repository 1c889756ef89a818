/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetGroup.html */
import type { GetGroupResponse } from "@aws-sdk/client-iam";
import * as v from "valibot";
import { listMembers } from "../../../access/identities/group-members.ts";
import { requireIdentity } from "../../../access/identities/identity-context.ts";
import { documentName } from "../../../access/identities/identity-documents.ts";
import { groupName, operation, page, paged, permissionOn, read } from "../operation.ts";
import { groupShape, userShape } from "../shapes.ts";

export const GetGroup = operation({
  input: v.object({ ...page, GroupName: groupName }),
  permission: (call, { GroupName }) => permissionOn(call, "iam:GetGroup", "group", GroupName),
  async handle(call, input): Promise<GetGroupResponse> {
    const { account } = call.principal;
    const group = await requireIdentity(read(call), "group", account, input.GroupName);
    const members = await listMembers(read(call), account, group.name);
    const { items, ...rest } = paged(members, ({ name }) => documentName(name), input);
    const Users = items.map((user) => userShape(account, user));
    return { Group: groupShape(account, group), Users, ...rest };
  },
});
