/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_UpdatePullThroughCacheRule.html */
import type { UpdatePullThroughCacheRuleResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { updatePullThroughRule } from "../../../registry/pull-through-rules.ts";
import type { Wire } from "../../operation.ts";
import { accountOf, onRegistry, operation } from "../operation.ts";
import {
  cachePrefix,
  credentialArn,
  customRoleArn,
  pullThroughRuleShape,
  requireCredentials,
  withoutSlash,
} from "../pull-through-shape.ts";
import { optional, registryId } from "../shapes.ts";

export const UpdatePullThroughCacheRule = operation({
  input: v.object({
    registryId: optional(registryId),
    ecrRepositoryPrefix: cachePrefix,
    credentialArn,
    customRoleArn,
  }),
  permission: onRegistry("UpdatePullThroughCacheRule"),
  async handle(call, input): Promise<Wire<UpdatePullThroughCacheRuleResponse>> {
    const { registry } = call.service;
    const account = accountOf(call, input);
    const prefix = withoutSlash(input.ecrRepositoryPrefix);
    const address = { account, prefix, actor: call.principal.arn };
    await requireCredentials(call, input.credentialArn);
    const rule = await updatePullThroughRule(registry, address, (present) => ({
      ...present,
      ...(input.credentialArn !== undefined && { credentialArn: input.credentialArn }),
      ...(input.customRoleArn !== undefined && { customRoleArn: input.customRoleArn }),
      updatedAt: registry.clock.now(),
    }));
    const {
      createdAt: _,
      upstreamRegistryUrl: __,
      upstreamRegistry: ___,
      ...shape
    } = pullThroughRuleShape(account, prefix, rule);
    return shape;
  },
});
