/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DeleteRepositoryCreationTemplate.html */
import type { DeleteRepositoryCreationTemplateResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { creationTemplateKind } from "../../../registry/creation-templates.ts";
import { deleteSetting } from "../../../registry/registry-setting.ts";
import type { Wire } from "../../operation.ts";
import { onRegistry, operation } from "../operation.ts";
import { templatePrefix, templateShape } from "../template-shape.ts";

export const DeleteRepositoryCreationTemplate = operation({
  input: v.object({ prefix: templatePrefix }),
  permission: onRegistry("DeleteRepositoryCreationTemplate"),
  async handle(call, input): Promise<Wire<DeleteRepositoryCreationTemplateResponse>> {
    const { account, arn } = call.principal;
    const name = input.prefix.replace(/\/$/, "");
    const template = await deleteSetting(
      call.service.registry,
      creationTemplateKind,
      "creation_template",
      { account, name, actor: arn },
    );
    return { registryId: account, repositoryCreationTemplate: templateShape(name, template) };
  },
});
