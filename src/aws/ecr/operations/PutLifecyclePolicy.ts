/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutLifecyclePolicy.html */
import type { PutLifecyclePolicyResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { putLifecyclePolicy } from "../../../registry/lifecycle-policies.ts";
import type { Wire } from "../../operation.ts";
import { addressOf, onRepository, operation } from "../operation.ts";
import { lifecyclePolicyText, repositoryTarget } from "../shapes.ts";

export const PutLifecyclePolicy = operation({
  input: v.object({ ...repositoryTarget, lifecyclePolicyText }),
  permission: onRepository("PutLifecyclePolicy"),
  async handle(call, input): Promise<Wire<PutLifecyclePolicyResponse>> {
    const address = addressOf(call, input);
    const { lifecyclePolicyText } = input;
    await putLifecyclePolicy(call.service.registry, address, lifecyclePolicyText);
    return { registryId: address.account, repositoryName: address.repository, lifecyclePolicyText };
  },
});
