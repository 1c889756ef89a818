/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_StartLifecyclePolicyPreview.html */
import type { StartLifecyclePolicyPreviewResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { startLifecyclePreview } from "../../../registry/lifecycle-policies.ts";
import type { Wire } from "../../operation.ts";
import { addressOf, onRepository, operation } from "../operation.ts";
import { lifecyclePolicyText, optional, repositoryTarget } from "../shapes.ts";

export const StartLifecyclePolicyPreview = operation({
  input: v.object({ ...repositoryTarget, lifecyclePolicyText: optional(lifecyclePolicyText) }),
  permission: onRepository("StartLifecyclePolicyPreview"),
  async handle(call, input): Promise<Wire<StartLifecyclePolicyPreviewResponse>> {
    const { registry } = call.service;
    const address = addressOf(call, input);
    const text = await startLifecyclePreview(registry, address, input.lifecyclePolicyText);
    return {
      registryId: address.account,
      repositoryName: address.repository,
      lifecyclePolicyText: text,
      // It is answered at once, and there is nothing to wait for.
      status: "IN_PROGRESS",
    };
  },
});
