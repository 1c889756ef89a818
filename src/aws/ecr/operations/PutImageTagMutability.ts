/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutImageTagMutability.html */
import type { PutImageTagMutabilityResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { putTagMutability } from "../../../registry/put-tag-mutability.ts";
import type { Wire } from "../../operation.ts";
import { addressOf, onRepository, operation } from "../operation.ts";
import { exclusionFilters, optional, repositoryTarget, tagMutability } from "../shapes.ts";
import { tagMutabilityOf, tagMutabilityShape } from "../tag-mutability-shape.ts";

export const PutImageTagMutability = operation({
  input: v.object({
    ...repositoryTarget,
    imageTagMutability: tagMutability,
    imageTagMutabilityExclusionFilters: optional(exclusionFilters),
  }),
  permission: onRepository("PutImageTagMutability"),
  async handle(call, input): Promise<Wire<PutImageTagMutabilityResponse>> {
    const settings = tagMutabilityOf(input);
    const address = addressOf(call, input);
    await putTagMutability(call.service.registry, address, settings);
    return {
      registryId: address.account,
      repositoryName: address.repository,
      ...tagMutabilityShape(settings),
    };
  },
});
