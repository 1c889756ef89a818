/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html */
import * as v from "valibot";
import { deleteUser } from "../../../access/identities/delete-user.ts";
import { operation, permissionOn, target, userName } from "../operation.ts";

export const DeleteUser = operation({
  input: v.object({ UserName: userName }),
  permission: (call, { UserName }) => permissionOn(call, "iam:DeleteUser", "user", UserName),
  async handle(call, { UserName }) {
    await deleteUser(call.service.identities, target(call, UserName));
    return undefined;
  },
});
