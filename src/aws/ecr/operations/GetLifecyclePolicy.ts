/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetLifecyclePolicy.html */
import type { GetLifecyclePolicyResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { findLifecyclePolicy } from "../../../registry/lifecycle-policies.ts";
import { epochSeconds, type Wire } from "../../operation.ts";
import { addressOf, onRepository, operation } from "../operation.ts";
import { repositoryTarget } from "../shapes.ts";

export const GetLifecyclePolicy = operation({
  input: v.object(repositoryTarget),
  permission: onRepository("GetLifecyclePolicy"),
  async handle(call, input): Promise<Wire<GetLifecyclePolicyResponse>> {
    const address = addressOf(call, input);
    const { text, evaluatedAt } = await findLifecyclePolicy(call.service.registry, address);
    return {
      registryId: address.account,
      repositoryName: address.repository,
      lifecyclePolicyText: text,
      ...(evaluatedAt !== undefined && { lastEvaluatedAt: epochSeconds(evaluatedAt) }),
    };
  },
});
