/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateGroup.html */
import type { CreateGroupResponse } from "@aws-sdk/client-iam";
import * as v from "valibot";
import { createGroup } from "../../../access/identities/create-group.ts";
import { groupName, operation, path, target } from "../operation.ts";
import { groupShape } from "../shapes.ts";

export const CreateGroup = operation({
  input: v.object({ GroupName: groupName, Path: path }),
  permission: (call, { GroupName, Path }) => ({
    action: "iam:CreateGroup",
    resource: `arn:aws:iam::${call.principal.account}:group${Path}${GroupName}`,
  }),
  async handle(call, { GroupName, Path }): Promise<CreateGroupResponse> {
    const input = { ...target(call, GroupName), path: Path };
    const group = await createGroup(call.service.identities, input);
    return { Group: groupShape(call.principal.account, group) };
  },
});
