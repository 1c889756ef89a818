/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DeleteLifecyclePolicy.html */
import type { DeleteLifecyclePolicyResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { deleteLifecyclePolicy } from "../../../registry/lifecycle-policies.ts";
import { epochSeconds, type Wire } from "../../operation.ts";
import { addressOf, onRepository, operation } from "../operation.ts";
import { repositoryTarget } from "../shapes.ts";

export const DeleteLifecyclePolicy = operation({
  input: v.object(repositoryTarget),
  permission: onRepository("DeleteLifecyclePolicy"),
  async handle(call, input): Promise<Wire<DeleteLifecyclePolicyResponse>> {
    const address = addressOf(call, input);
    const { text, evaluatedAt } = await deleteLifecyclePolicy(call.service.registry, address);
    return {
      registryId: address.account,
      repositoryName: address.repository,
      lifecyclePolicyText: text,
      ...(evaluatedAt !== undefined && { lastEvaluatedAt: epochSeconds(evaluatedAt) }),
    };
  },
});
