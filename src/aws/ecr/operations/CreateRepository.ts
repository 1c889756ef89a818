/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html */
import type { CreateRepositoryResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { createRepository } from "../../../registry/create-repository.ts";
import { checkResourceTags } from "../../../registry/resource-tags.ts";
import type { Wire } from "../../operation.ts";
import { addressOf, operation, repositoryResource } from "../operation.ts";
import { repositoryShape } from "../repository-shape.ts";
import { requestTagConditions, resourceTagsOf } from "../resource-tags-shape.ts";
import {
  encryptionConfiguration,
  exclusionFilters,
  imageScanningConfiguration,
  optional,
  repositoryTarget,
  resourceTags,
  tagMutability,
} from "../shapes.ts";
import { tagMutabilityOf } from "../tag-mutability-shape.ts";

export const CreateRepository = operation({
  input: v.object({
    ...repositoryTarget,
    tags: optional(resourceTags),
    imageTagMutability: optional(tagMutability),
    imageTagMutabilityExclusionFilters: optional(exclusionFilters),
    imageScanningConfiguration: optional(imageScanningConfiguration),
    encryptionConfiguration: optional(encryptionConfiguration),
  }),
  permission(call, input) {
    const resource = repositoryResource(call, input);
    const tags = input.tags ?? [];
    const conditions = requestTagConditions(tags);
    return [
      { action: "ecr:CreateRepository", resource, conditions },
      ...(tags.length > 0 ? [{ action: "ecr:TagResource", resource, conditions }] : []),
    ];
  },
  async handle(call, input): Promise<Wire<CreateRepositoryResponse>> {
    const settings = {
      ...tagMutabilityOf(input),
      scanOnPush: input.imageScanningConfiguration?.scanOnPush ?? false,
    };
    const tags = checkResourceTags(resourceTagsOf(input.tags ?? []));
    const address = addressOf(call, input);
    const { account, name, created_at } = await createRepository(call.service.registry, address, {
      settings,
      tags,
    });
    return {
      repository: repositoryShape(call, { account, name, createdAt: created_at, ...settings }),
    };
  },
});
