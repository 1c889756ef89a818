/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DeletePullThroughCacheRule.html */
import type { DeletePullThroughCacheRuleResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { pullThroughRuleKind } from "../../../registry/pull-through-rules.ts";
import { deleteSetting } from "../../../registry/registry-setting.ts";
import type { Wire } from "../../operation.ts";
import { accountOf, onRegistry, operation } from "../operation.ts";
import { cachePrefix, pullThroughRuleShape, withoutSlash } from "../pull-through-shape.ts";
import { optional, registryId } from "../shapes.ts";

export const DeletePullThroughCacheRule = operation({
  input: v.object({ ecrRepositoryPrefix: cachePrefix, registryId: optional(registryId) }),
  permission: onRegistry("DeletePullThroughCacheRule"),
  async handle(call, input): Promise<Wire<DeletePullThroughCacheRuleResponse>> {
    const account = accountOf(call, input);
    const name = withoutSlash(input.ecrRepositoryPrefix);
    const rule = await deleteSetting(
      call.service.registry,
      pullThroughRuleKind,
      "pull_through_cache_rule",
      { account, name, actor: call.principal.arn },
    );
    const {
      updatedAt: _,
      upstreamRegistry: __,
      ...shape
    } = pullThroughRuleShape(account, name, rule);
    return shape;
  },
});
