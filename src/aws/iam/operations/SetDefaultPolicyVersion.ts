/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_SetDefaultPolicyVersion.html */
import * as v from "valibot";
import { setDefaultPolicyVersion } from "../../../access/identities/policy-versions.ts";
import { arn, operation } from "../operation.ts";
import { ownPolicyTarget, permissionOnPolicy } from "../policy-arn.ts";
import { policyVersion } from "../policy-versions.ts";

export const SetDefaultPolicyVersion = operation({
  input: v.object({ PolicyArn: arn, VersionId: policyVersion }),
  permission: (call, { PolicyArn }) =>
    permissionOnPolicy(call, "iam:SetDefaultPolicyVersion", PolicyArn),
  async handle(call, { PolicyArn, VersionId }) {
    const target = await ownPolicyTarget(call, PolicyArn);
    await setDefaultPolicyVersion(call.service.identities, target, VersionId);
    return undefined;
  },
});
