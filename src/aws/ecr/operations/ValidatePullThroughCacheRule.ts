/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ValidatePullThroughCacheRule.html */
import type { ValidatePullThroughCacheRuleResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { pullThroughRuleKind } from "../../../registry/pull-through-rules.ts";
import { requireSetting } from "../../../registry/registry-setting.ts";
import type { Wire } from "../../operation.ts";
import { accountOf, onRegistry, operation } from "../operation.ts";
import { cachePrefix, pullThroughRuleShape, withoutSlash } from "../pull-through-shape.ts";
import { optional, registryId } from "../shapes.ts";

export const ValidatePullThroughCacheRule = operation({
  input: v.object({ ecrRepositoryPrefix: cachePrefix, registryId: optional(registryId) }),
  permission: onRegistry("ValidatePullThroughCacheRule"),
  async handle(call, input): Promise<Wire<ValidatePullThroughCacheRuleResponse>> {
    const { registry, upstreams } = call.service;
    const account = accountOf(call, input);
    const prefix = withoutSlash(input.ecrRepositoryPrefix);
    const address = { account, name: prefix };
    const setting = "pull_through_cache_rule";
    const rule = await requireSetting(registry, pullThroughRuleKind, setting, address);
    const failure =
      upstreams === undefined
        ? "this server has no pull through cache"
        : await upstreams.validate(account, { prefix, rule });
    const {
      createdAt: _,
      updatedAt: __,
      upstreamRegistry: ___,
      ...shape
    } = pullThroughRuleShape(account, prefix, rule);
    return {
      ...shape,
      isValid: failure === undefined,
      ...(failure !== undefined && { failure }),
    };
  },
});
