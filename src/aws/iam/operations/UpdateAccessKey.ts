/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccessKey.html */
import * as v from "valibot";
import { changeAccessKey } from "../../../access/identities/change-access-key.ts";
import { optional } from "../../query-operation.ts";
import { operation, permissionOn, target, userName } from "../operation.ts";
import { accessKeyId, userNameOf } from "../user-name.ts";

export const UpdateAccessKey = operation({
  input: v.object({
    UserName: optional(userName),
    AccessKeyId: accessKeyId,
    Status: v.picklist(["Active", "Inactive"]),
  }),
  permission: (call, input) =>
    permissionOn(call, "iam:UpdateAccessKey", "user", userNameOf(call, input)),
  async handle(call, input) {
    const user = target(call, userNameOf(call, input));
    await changeAccessKey(call.service.identities, user, input.AccessKeyId, input.Status);
    return undefined;
  },
});
