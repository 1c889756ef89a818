/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_UpdateRepositoryCreationTemplate.html */
import type { UpdateRepositoryCreationTemplateResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { updateTemplate } from "../../../registry/creation-templates.ts";
import type { Wire } from "../../operation.ts";
import { onRegistry, operation } from "../operation.ts";
import { optional } from "../shapes.ts";
import { appliedFor, templateChangeOf, templateMembers, templateShape } from "../template-shape.ts";

export const UpdateRepositoryCreationTemplate = operation({
  input: v.object({ ...templateMembers, appliedFor: optional(appliedFor) }),
  permission: onRegistry("UpdateRepositoryCreationTemplate"),
  async handle(call, input): Promise<Wire<UpdateRepositoryCreationTemplateResponse>> {
    const { registry } = call.service;
    const { account, arn } = call.principal;
    const change = templateChangeOf(input);
    const prefix = input.prefix.replace(/\/$/, "");
    const updated = await updateTemplate(registry, { account, prefix, actor: arn }, (present) => ({
      ...present,
      ...change,
      ...(input.appliedFor && { appliedFor: [...new Set(input.appliedFor)] }),
      updatedAt: registry.clock.now(),
    }));
    return { registryId: account, repositoryCreationTemplate: templateShape(prefix, updated) };
  },
});
