/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DeregisterPullTimeUpdateExclusion.html */
import type { DeregisterPullTimeUpdateExclusionResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { deregisterPullTimeExclusion } from "../../../registry/pull-time-exclusions.ts";
import type { Wire } from "../../operation.ts";
import { onRegistry, operation } from "../operation.ts";
import { exclusionPrincipalArn } from "../shapes.ts";

export const DeregisterPullTimeUpdateExclusion = operation({
  input: v.object({ principalArn: exclusionPrincipalArn }),
  permission: onRegistry("DeregisterPullTimeUpdateExclusion"),
  async handle(call, { principalArn }): Promise<Wire<DeregisterPullTimeUpdateExclusionResponse>> {
    const { account, arn } = call.principal;
    await deregisterPullTimeExclusion(call.service.registry, { account, principalArn, actor: arn });
    return { principalArn };
  },
});
