/** Repository creation templates as Amazon ECR takes and answers them. */
import type { RepositoryCreationTemplate } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import type { CreationTemplate } from "../../registry/creation-templates.ts";
import { readLifecyclePolicy } from "../../registry/lifecycle/read-policy.ts";
import { checkResourceTags } from "../../registry/resource-tags.ts";
import { epochSeconds, type Wire } from "../operation.ts";
import { checkRepositoryPolicy } from "./policy-text.ts";
import { resourceTagsOf, resourceTagsShape } from "./resource-tags-shape.ts";
import {
  encryptionConfiguration,
  exclusionFilters,
  optional,
  resourceTags,
  tagMutability,
} from "./shapes.ts";
import { tagMutabilityOf, tagMutabilityShape } from "./tag-mutability-shape.ts";

export const templatePrefix = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(256),
  v.regex(/^((?:[a-z0-9]+(?:[._-][a-z0-9]+)*\/)*[a-z0-9]+(?:[._-][a-z0-9]+)*\/?|ROOT)$/),
);

export const templateMembers = {
  prefix: templatePrefix,
  description: optional(v.pipe(v.string(), v.maxLength(256))),
  encryptionConfiguration: optional(encryptionConfiguration),
  resourceTags: optional(resourceTags),
  imageTagMutability: optional(tagMutability),
  imageTagMutabilityExclusionFilters: optional(exclusionFilters),
  repositoryPolicy: optional(v.pipe(v.string(), v.maxLength(10_240))),
  lifecyclePolicy: optional(v.pipe(v.string(), v.maxLength(30_720))),
  customRoleArn: optional(v.pipe(v.string(), v.maxLength(2048))),
};

export const appliedFor = v.pipe(
  v.array(v.picklist(["REPLICATION", "PULL_THROUGH_CACHE", "CREATE_ON_PUSH"])),
  v.minLength(1),
);

const members = v.object(templateMembers);
type Input = Omit<v.InferOutput<typeof members>, "prefix">;

/**
 * What an input sets, to be laid over what there was.
 * @throws InvalidParameterException and what is wrong with tags
 */
export function templateChangeOf(input: Input): Partial<CreationTemplate> {
  const { repositoryPolicy, lifecyclePolicy } = input;
  if (repositoryPolicy) checkRepositoryPolicy(repositoryPolicy, "repositoryPolicy");
  if (lifecyclePolicy) readLifecyclePolicy(lifecyclePolicy, "lifecyclePolicy");
  const mutability = input.imageTagMutability ?? input.imageTagMutabilityExclusionFilters;
  return {
    ...(input.description !== undefined && { description: input.description }),
    ...(input.resourceTags && {
      resourceTags: checkResourceTags(resourceTagsOf(input.resourceTags)),
    }),
    ...(mutability !== undefined && tagMutabilityOf(input)),
    // An empty text takes the policy away.
    ...(repositoryPolicy !== undefined && { repositoryPolicy: repositoryPolicy || undefined }),
    ...(lifecyclePolicy !== undefined && { lifecyclePolicy: lifecyclePolicy || undefined }),
    ...(input.customRoleArn !== undefined && { customRoleArn: input.customRoleArn }),
  };
}

export function templateShape(
  prefix: string,
  template: CreationTemplate,
): Wire<RepositoryCreationTemplate> {
  const { description, resourceTags, repositoryPolicy, lifecyclePolicy, customRoleArn } = template;
  return {
    prefix,
    ...(description !== undefined && { description }),
    encryptionConfiguration: { encryptionType: "AES256" },
    ...(resourceTags && { resourceTags: resourceTagsShape(resourceTags) }),
    ...tagMutabilityShape(template),
    ...(repositoryPolicy !== undefined && { repositoryPolicy }),
    ...(lifecyclePolicy !== undefined && { lifecyclePolicy }),
    appliedFor: [...template.appliedFor],
    ...(customRoleArn !== undefined && { customRoleArn }),
    createdAt: epochSeconds(template.createdAt),
    updatedAt: epochSeconds(template.updatedAt),
  };
}
