/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_SetRepositoryPolicy.html */
import type { SetRepositoryPolicyResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { locksOut } from "../../../access/policy-lockout.ts";
import { setRepositoryPolicy } from "../../../registry/repository-policy.ts";
import type { Wire } from "../../operation.ts";
import { invalidParameter } from "../errors.ts";
import { addressOf, onRepository, operation, repositoryResource } from "../operation.ts";
import { checkRepositoryPolicy } from "../policy-text.ts";
import { repositoryTarget } from "../shapes.ts";

export const SetRepositoryPolicy = operation({
  input: v.object({
    ...repositoryTarget,
    policyText: v.pipe(v.string(), v.maxLength(10_240)),
    force: v.nullish(v.boolean(), false),
  }),
  permission: onRepository("SetRepositoryPolicy"),
  async handle(call, input): Promise<Wire<SetRepositoryPolicyResponse>> {
    const { policyText } = input;
    const policy = checkRepositoryPolicy(policyText);
    const author = {
      principal: call.principal,
      action: "ecr:SetRepositoryPolicy",
      resource: repositoryResource(call, input),
    };
    if (!input.force && locksOut(policy, author)) {
      throw invalidParameter(
        "PolicyText",
        "The policy would prevent you from setting another policy in the future; use force to set it all the same",
      );
    }
    const address = addressOf(call, input);
    await setRepositoryPolicy(call.service.registry, address, policyText);
    return { registryId: address.account, repositoryName: address.repository, policyText };
  },
});
