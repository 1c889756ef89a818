/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepositoryCreationTemplate.html */
import type { CreateRepositoryCreationTemplateResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { createTemplate } from "../../../registry/creation-templates.ts";
import type { Wire } from "../../operation.ts";
import { onRegistry, operation } from "../operation.ts";
import { appliedFor, templateChangeOf, templateMembers, templateShape } from "../template-shape.ts";

export const CreateRepositoryCreationTemplate = operation({
  input: v.object({ ...templateMembers, appliedFor }),
  permission: onRegistry("CreateRepositoryCreationTemplate"),
  async handle(call, input): Promise<Wire<CreateRepositoryCreationTemplateResponse>> {
    const { registry } = call.service;
    const { account, arn } = call.principal;
    const now = registry.clock.now();
    const template = {
      tagMutability: "MUTABLE" as const,
      exclusionFilters: [],
      ...templateChangeOf(input),
      appliedFor: [...new Set(input.appliedFor)],
      createdAt: now,
      updatedAt: now,
    };
    const prefix = input.prefix.replace(/\/$/, "");
    await createTemplate(registry, { account, prefix, actor: arn }, template);
    return { registryId: account, repositoryCreationTemplate: templateShape(prefix, template) };
  },
});
