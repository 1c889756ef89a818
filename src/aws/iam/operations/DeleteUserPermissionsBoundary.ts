/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUserPermissionsBoundary.html */
import * as v from "valibot";
import { setBoundary } from "../../../access/identities/boundary.ts";
import { operation, permissionOn, target, userName } from "../operation.ts";

export const DeleteUserPermissionsBoundary = operation({
  input: v.object({ UserName: userName }),
  permission: (call, { UserName }) =>
    permissionOn(call, "iam:DeleteUserPermissionsBoundary", "user", UserName),
  async handle(call, { UserName }) {
    await setBoundary(call.service.identities, "user", target(call, UserName), undefined);
    return undefined;
  },
});
