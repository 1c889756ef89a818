/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DeleteRepository.html */
import type { DeleteRepositoryResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { deleteRepository } from "../../../registry/delete-repository.ts";
import { findRepositorySettings } from "../../../registry/repository-settings.ts";
import type { Wire } from "../../operation.ts";
import { addressOf, onRepository, operation } from "../operation.ts";
import { repositoryShape } from "../repository-shape.ts";
import { repositoryTarget } from "../shapes.ts";

export const DeleteRepository = operation({
  input: v.object({ ...repositoryTarget, force: v.nullish(v.boolean(), false) }),
  permission: onRepository("DeleteRepository"),
  async handle(call, input): Promise<Wire<DeleteRepositoryResponse>> {
    const { registry } = call.service;
    const address = addressOf(call, input);
    const settings = await findRepositorySettings(registry.metadata.read, address);
    const force = input.force ?? false;
    const { account, name, created_at } = await deleteRepository(registry, { ...address, force });
    return {
      repository: repositoryShape(call, { account, name, createdAt: created_at, ...settings }),
    };
  },
});
