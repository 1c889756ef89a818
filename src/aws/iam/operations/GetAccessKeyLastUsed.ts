/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccessKeyLastUsed.html */
import type { GetAccessKeyLastUsedResponse } from "@aws-sdk/client-iam";
import * as v from "valibot";
import { accessKeyKind } from "../../../access/identities/identity-documents.ts";
import { IdentityError } from "../../../access/identities/identity-error.ts";
import { findDocument } from "../../../registry/documents.ts";
import { type IamCall, operation, permissionOn, read } from "../operation.ts";
import { accessKeyId } from "../user-name.ts";

async function findKey(call: IamCall, id: string) {
  const found = await findDocument(read(call), accessKeyKind, call.principal.account, id);
  return found?.value;
}

export const GetAccessKeyLastUsed = operation({
  input: v.object({ AccessKeyId: accessKeyId }),
  async permission(call, { AccessKeyId }) {
    const key = await findKey(call, AccessKeyId);
    return permissionOn(call, "iam:GetAccessKeyLastUsed", "user", key?.userName ?? "*");
  },
  async handle(call, { AccessKeyId }): Promise<GetAccessKeyLastUsedResponse> {
    const key = await findKey(call, AccessKeyId);
    if (key === undefined) {
      throw new IdentityError(
        "NoSuchEntity",
        `The Access Key with id ${AccessKeyId} cannot be found.`,
      );
    }
    const use = await call.service.usage.find(call.principal.account, AccessKeyId);
    return {
      UserName: key.userName,
      AccessKeyLastUsed: {
        LastUsedDate: use && new Date(use.at),
        ServiceName: use?.service ?? "N/A",
        Region: use?.region ?? "N/A",
      },
    };
  },
});
