/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicy.html */
import type { GetPolicyResponse } from "@aws-sdk/client-iam";
import * as v from "valibot";
import { policyUses } from "../../../access/identities/policy-uses.ts";
import { managedPolicies } from "../../../access/managed-policies.ts";
import { arn, operation, read } from "../operation.ts";
import { permissionOnPolicy, requireOwnPolicy } from "../policy-arn.ts";
import { managedPolicyShape, policyShape } from "../shapes.ts";

export const GetPolicy = operation({
  input: v.object({ PolicyArn: arn }),
  permission: (call, { PolicyArn }) => permissionOnPolicy(call, "iam:GetPolicy", PolicyArn),
  async handle(call, { PolicyArn }): Promise<GetPolicyResponse> {
    const { account } = call.principal;
    const managed = managedPolicies.get(PolicyArn);
    const own = managed === undefined ? await requireOwnPolicy(call, PolicyArn) : undefined;
    const usesOf = await policyUses(read(call), account);
    if (own !== undefined) return { Policy: policyShape(account, own, usesOf) };
    return { Policy: managed && managedPolicyShape(managed, usesOf) };
  },
});
