/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUser.html */
import type { GetUserResponse } from "@aws-sdk/client-iam";
import * as v from "valibot";
import { requireIdentity } from "../../../access/identities/identity-context.ts";
import { optional } from "../../query-operation.ts";
import { operation, permissionOn, read, userName } from "../operation.ts";
import { userShape } from "../shapes.ts";
import { userNameOf } from "../user-name.ts";

export const GetUser = operation({
  input: v.object({ UserName: optional(userName) }),
  permission(call, input) {
    const { kind, arn } = call.principal;
    if (input.UserName === undefined && kind === "root") {
      return { action: "iam:GetUser", resource: arn };
    }
    return permissionOn(call, "iam:GetUser", "user", userNameOf(call, input));
  },
  async handle(call, input): Promise<GetUserResponse> {
    const { kind, arn, account } = call.principal;
    if (input.UserName === undefined && kind === "root") {
      // AWS tells when the account was created, which is kept nowhere here.
      const CreateDate = new Date(0);
      const User = { Path: "/", UserName: "root", UserId: account, Arn: arn, CreateDate };
      return { User };
    }
    const user = await requireIdentity(read(call), "user", account, userNameOf(call, input));
    return { User: userShape(account, user) };
  },
});
