/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicyVersion.html */
import * as v from "valibot";
import { deletePolicyVersion } from "../../../access/identities/policy-versions.ts";
import { arn, operation } from "../operation.ts";
import { ownPolicyTarget, permissionOnPolicy } from "../policy-arn.ts";
import { policyVersion } from "../policy-versions.ts";

export const DeletePolicyVersion = operation({
  input: v.object({ PolicyArn: arn, VersionId: policyVersion }),
  permission: (call, { PolicyArn }) =>
    permissionOnPolicy(call, "iam:DeletePolicyVersion", PolicyArn),
  async handle(call, { PolicyArn, VersionId }) {
    const target = await ownPolicyTarget(call, PolicyArn);
    await deletePolicyVersion(call.service.identities, target, VersionId);
    return undefined;
  },
});
