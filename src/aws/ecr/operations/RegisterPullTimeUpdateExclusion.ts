/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_RegisterPullTimeUpdateExclusion.html */
import type { RegisterPullTimeUpdateExclusionResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { registerPullTimeExclusion } from "../../../registry/pull-time-exclusions.ts";
import { epochSeconds, type Wire } from "../../operation.ts";
import { onRegistry, operation } from "../operation.ts";
import { exclusionPrincipalArn } from "../shapes.ts";

export const RegisterPullTimeUpdateExclusion = operation({
  input: v.object({ principalArn: exclusionPrincipalArn }),
  permission: onRegistry("RegisterPullTimeUpdateExclusion"),
  async handle(call, { principalArn }): Promise<Wire<RegisterPullTimeUpdateExclusionResponse>> {
    const { account, arn } = call.principal;
    const exclusion = { account, principalArn, actor: arn };
    const createdAt = await registerPullTimeExclusion(call.service.registry, exclusion);
    return { principalArn, createdAt: epochSeconds(createdAt) };
  },
});
