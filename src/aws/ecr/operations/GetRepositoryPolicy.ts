/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetRepositoryPolicy.html */
import type { GetRepositoryPolicyResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { findRepositoryPolicy } from "../../../registry/repository-policy.ts";
import type { Wire } from "../../operation.ts";
import { addressOf, onRepository, operation } from "../operation.ts";
import { repositoryTarget } from "../shapes.ts";

export const GetRepositoryPolicy = operation({
  input: v.object(repositoryTarget),
  permission: onRepository("GetRepositoryPolicy"),
  async handle(call, input): Promise<Wire<GetRepositoryPolicyResponse>> {
    const address = addressOf(call, input);
    const policyText = await findRepositoryPolicy(call.service.registry, address);
    return { registryId: address.account, repositoryName: address.repository, policyText };
  },
});
