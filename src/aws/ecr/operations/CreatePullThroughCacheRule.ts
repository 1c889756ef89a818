/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreatePullThroughCacheRule.html */
import type { CreatePullThroughCacheRuleResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { createPullThroughRule, rootPrefix } from "../../../registry/pull-through-rules.ts";
import { AwsError } from "../../errors.ts";
import type { Wire } from "../../operation.ts";
import { accountOf, onRegistry, operation } from "../operation.ts";
import {
  cachePrefix,
  credentialArn,
  customRoleArn,
  pullThroughRuleShape,
  requireCredentials,
  requireUpstream,
  upstreamPrefix,
  withoutSlash,
} from "../pull-through-shape.ts";
import { optional, registryId } from "../shapes.ts";

export const CreatePullThroughCacheRule = operation({
  input: v.object({
    ecrRepositoryPrefix: cachePrefix,
    upstreamRegistryUrl: v.pipe(v.string(), v.minLength(1), v.maxLength(255)),
    registryId: optional(registryId),
    upstreamRegistry: optional(v.pipe(v.string(), v.maxLength(64))),
    credentialArn,
    customRoleArn,
    upstreamRepositoryPrefix: upstreamPrefix,
  }),
  permission: onRegistry("CreatePullThroughCacheRule"),
  async handle(call, input): Promise<Wire<CreatePullThroughCacheRuleResponse>> {
    const { registry } = call.service;
    const account = accountOf(call, input);
    const prefix = withoutSlash(input.ecrRepositoryPrefix);
    const upstreamRepositoryPrefix = withoutSlash(input.upstreamRepositoryPrefix ?? rootPrefix);
    if (prefix === rootPrefix && upstreamRepositoryPrefix !== rootPrefix) {
      throw new AwsError(
        "ValidationException",
        "upstreamRepositoryPrefix must be ROOT when ecrRepositoryPrefix is ROOT",
      );
    }
    const { host, name } = requireUpstream(call, input);
    await requireCredentials(call, input.credentialArn);
    const now = registry.clock.now();
    const rule = {
      upstreamRegistryUrl: host,
      upstreamRegistry: name,
      upstreamRepositoryPrefix,
      credentialArn: input.credentialArn,
      customRoleArn: input.customRoleArn,
      createdAt: now,
      updatedAt: now,
    };
    await createPullThroughRule(registry, { account, prefix, actor: call.principal.arn }, rule);
    const { updatedAt: _, ...shape } = pullThroughRuleShape(account, prefix, rule);
    return shape;
  },
});
