/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicyVersions.html */
import type { ListPolicyVersionsResponse } from "@aws-sdk/client-iam";
import * as v from "valibot";
import { arn, operation, page } from "../operation.ts";
import { permissionOnPolicy } from "../policy-arn.ts";
import { versionsOf } from "../policy-versions.ts";

export const ListPolicyVersions = operation({
  input: v.object({ ...page, PolicyArn: arn }),
  permission: (call, { PolicyArn }) =>
    permissionOnPolicy(call, "iam:ListPolicyVersions", PolicyArn),
  async handle(call, { PolicyArn }): Promise<ListPolicyVersionsResponse> {
    // Five at most: always one page, the newest first.
    const versions = await versionsOf(call, PolicyArn);
    return { Versions: versions.map(({ shape }) => shape).reverse(), IsTruncated: false };
  },
});
