/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html */
import type { CreateAccessKeyResponse } from "@aws-sdk/client-iam";
import * as v from "valibot";
import { createAccessKey } from "../../../access/identities/create-access-key.ts";
import { optional } from "../../query-operation.ts";
import { operation, permissionOn, target, userName } from "../operation.ts";
import { userNameOf } from "../user-name.ts";

export const CreateAccessKey = operation({
  input: v.object({ UserName: optional(userName) }),
  permission: (call, input) =>
    permissionOn(call, "iam:CreateAccessKey", "user", userNameOf(call, input)),
  async handle(call, input): Promise<CreateAccessKeyResponse> {
    const name = userNameOf(call, input);
    const key = await createAccessKey(call.service.identities, target(call, name));
    return {
      AccessKey: {
        UserName: key.userName,
        AccessKeyId: key.id,
        Status: key.status,
        SecretAccessKey: key.secretAccessKey,
        CreateDate: new Date(key.createdAt),
      },
    };
  },
});
