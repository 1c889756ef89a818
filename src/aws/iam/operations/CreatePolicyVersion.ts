/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicyVersion.html */
import type { CreatePolicyVersionResponse } from "@aws-sdk/client-iam";
import * as v from "valibot";
import { createPolicyVersion } from "../../../access/identities/policy-versions.ts";
import { flag } from "../../query-operation.ts";
import { arn, operation, policyDocument } from "../operation.ts";
import { ownPolicyTarget, permissionOnPolicy } from "../policy-arn.ts";

export const CreatePolicyVersion = operation({
  input: v.object({
    PolicyArn: arn,
    PolicyDocument: policyDocument,
    SetAsDefault: v.optional(flag, "false"),
  }),
  permission: (call, { PolicyArn }) =>
    permissionOnPolicy(call, "iam:CreatePolicyVersion", PolicyArn),
  async handle(call, input): Promise<CreatePolicyVersionResponse> {
    const { id, createdAt } = await createPolicyVersion(
      call.service.identities,
      await ownPolicyTarget(call, input.PolicyArn),
      { document: input.PolicyDocument, setAsDefault: input.SetAsDefault },
    );
    return {
      PolicyVersion: {
        VersionId: id,
        IsDefaultVersion: input.SetAsDefault,
        CreateDate: new Date(createdAt),
      },
    };
  },
});
