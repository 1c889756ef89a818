/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccessKeys.html */
import type { ListAccessKeysResponse } from "@aws-sdk/client-iam";
import * as v from "valibot";
import { listAccessKeys } from "../../../access/identities/change-access-key.ts";
import { optional } from "../../query-operation.ts";
import { operation, page, paged, permissionOn, userName } from "../operation.ts";
import { userNameOf } from "../user-name.ts";

export const ListAccessKeys = operation({
  input: v.object({ ...page, UserName: optional(userName) }),
  permission: (call, input) =>
    permissionOn(call, "iam:ListAccessKeys", "user", userNameOf(call, input)),
  async handle(call, input): Promise<ListAccessKeysResponse> {
    const UserName = userNameOf(call, input);
    const { identities } = call.service;
    const keys = await listAccessKeys(identities, call.principal.account, UserName);
    const { items, ...rest } = paged(keys, ({ id }) => id, input);
    const AccessKeyMetadata = items.map(({ id, status, createdAt }) => ({
      UserName,
      AccessKeyId: id,
      Status: status,
      CreateDate: new Date(createdAt),
    }));
    return { AccessKeyMetadata, ...rest };
  },
});
