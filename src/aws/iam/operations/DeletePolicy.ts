/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicy.html */
import * as v from "valibot";
import { deletePolicy } from "../../../access/identities/delete-policy.ts";
import { arn, operation } from "../operation.ts";
import { ownPolicyTarget, permissionOnPolicy } from "../policy-arn.ts";

export const DeletePolicy = operation({
  input: v.object({ PolicyArn: arn }),
  permission: (call, { PolicyArn }) => permissionOnPolicy(call, "iam:DeletePolicy", PolicyArn),
  async handle(call, { PolicyArn }) {
    const target = await ownPolicyTarget(call, PolicyArn);
    await deletePolicy(call.service.identities, target, PolicyArn);
    return undefined;
  },
});
