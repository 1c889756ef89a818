/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeRule.html */
import type { DescribeRuleResponse } from "@aws-sdk/client-eventbridge";
import * as v from "valibot";
import { findRule } from "../../../events/rules.ts";
import { eventBus, name, onRule, operation, requireDefaultBus } from "../operation.ts";
import { ruleShape } from "../rule-shape.ts";

export const DescribeRule = operation({
  input: v.object({ Name: name, EventBusName: eventBus }),
  permission: (call, input) => onRule("DescribeRule", call, input.Name),
  async handle(call, input): Promise<DescribeRuleResponse> {
    requireDefaultBus(call, input.EventBusName);
    const { account } = call.principal;
    const rule = await findRule(call.service.registry.metadata.read, account, input.Name);
    return { ...ruleShape(call, input.Name, rule), CreatedBy: account };
  },
});
