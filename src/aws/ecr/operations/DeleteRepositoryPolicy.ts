/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DeleteRepositoryPolicy.html */
import type { DeleteRepositoryPolicyResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { deleteRepositoryPolicy } from "../../../registry/repository-policy.ts";
import type { Wire } from "../../operation.ts";
import { addressOf, onRepository, operation } from "../operation.ts";
import { repositoryTarget } from "../shapes.ts";

export const DeleteRepositoryPolicy = operation({
  input: v.object(repositoryTarget),
  permission: onRepository("DeleteRepositoryPolicy"),
  async handle(call, input): Promise<Wire<DeleteRepositoryPolicyResponse>> {
    const address = addressOf(call, input);
    const policyText = await deleteRepositoryPolicy(call.service.registry, address);
    return { registryId: address.account, repositoryName: address.repository, policyText };
  },
});
