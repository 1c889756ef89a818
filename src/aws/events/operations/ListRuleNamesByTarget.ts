/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListRuleNamesByTarget.html */
import type { ListRuleNamesByTargetResponse } from "@aws-sdk/client-eventbridge";
import * as v from "valibot";
import { allRules } from "../../../events/rules.ts";
import {
  arn,
  eventBus,
  limit,
  nextToken,
  onAll,
  operation,
  pageOf,
  requireDefaultBus,
} from "../operation.ts";

export const ListRuleNamesByTarget = operation({
  input: v.object({ TargetArn: arn, EventBusName: eventBus, NextToken: nextToken, Limit: limit }),
  permission: (call) => onAll("ListRuleNamesByTarget", call, "rule"),
  async handle(call, input): Promise<ListRuleNamesByTargetResponse> {
    requireDefaultBus(call, input.EventBusName);
    const all = await allRules(call.service.registry.metadata.read, call.principal.account);
    const names = all
      .filter(({ rule }) => rule.targets.some((target) => target.arn === input.TargetArn))
      .map((rule) => rule.name);
    const binding = ["ListRuleNamesByTarget", input.TargetArn];
    const { page, next } = pageOf(call, binding, names, (each) => each, input);
    return { RuleNames: [...page], ...next };
  },
});
