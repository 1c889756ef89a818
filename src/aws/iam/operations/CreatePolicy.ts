/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html */
import type { CreatePolicyResponse } from "@aws-sdk/client-iam";
import * as v from "valibot";
import { createPolicy } from "../../../access/identities/create-policy.ts";
import { optional } from "../../query-operation.ts";
import {
  description,
  operation,
  path,
  policyDocument,
  policyName,
  requestTags,
  tagRecord,
  tags,
  target,
} from "../operation.ts";
import { policyShape } from "../shapes.ts";

export const CreatePolicy = operation({
  input: v.object({
    PolicyName: policyName,
    Path: path,
    PolicyDocument: policyDocument,
    Description: optional(description),
    Tags: tags,
  }),
  permission: (call, { PolicyName, Path, Tags }) => ({
    action: "iam:CreatePolicy",
    resource: `arn:aws:iam::${call.principal.account}:policy${Path}${PolicyName}`,
    conditions: requestTags(Tags),
  }),
  async handle(call, input): Promise<CreatePolicyResponse> {
    const policy = await createPolicy(call.service.identities, {
      ...target(call, input.PolicyName),
      path: input.Path,
      document: input.PolicyDocument,
      description: input.Description,
      tags: tagRecord(input.Tags),
    });
    return { Policy: policyShape(call.principal.account, policy, noUse) };
  },
});

const noUse = () => ({ attachments: 0, boundaries: 0 });
