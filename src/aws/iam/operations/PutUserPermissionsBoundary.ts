/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPermissionsBoundary.html */
import * as v from "valibot";
import { setBoundary } from "../../../access/identities/boundary.ts";
import { arn, operation, permissionOn, target, userName } from "../operation.ts";

export const PutUserPermissionsBoundary = operation({
  input: v.object({ UserName: userName, PermissionsBoundary: arn }),
  permission: (call, { UserName, PermissionsBoundary }) =>
    permissionOn(call, "iam:PutUserPermissionsBoundary", "user", UserName, {
      "iam:PermissionsBoundary": PermissionsBoundary,
    }),
  async handle(call, { UserName, PermissionsBoundary }) {
    await setBoundary(call.service.identities, "user", target(call, UserName), PermissionsBoundary);
    return undefined;
  },
});
