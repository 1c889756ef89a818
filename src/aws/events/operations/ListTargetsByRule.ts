/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListTargetsByRule.html */
import type { ListTargetsByRuleResponse } from "@aws-sdk/client-eventbridge";
import * as v from "valibot";
import { findRule } from "../../../events/rules.ts";
import {
  eventBus,
  limit,
  name,
  nextToken,
  onRule,
  operation,
  pageOf,
  requireDefaultBus,
} from "../operation.ts";
import { shapeOf } from "../target-shape.ts";

export const ListTargetsByRule = operation({
  input: v.object({ Rule: name, EventBusName: eventBus, NextToken: nextToken, Limit: limit }),
  permission: (call, input) => onRule("ListTargetsByRule", call, input.Rule),
  async handle(call, input): Promise<ListTargetsByRuleResponse> {
    requireDefaultBus(call, input.EventBusName);
    const { read } = call.service.registry.metadata;
    const { targets } = await findRule(read, call.principal.account, input.Rule);
    const sorted = [...targets].sort((a, b) => (a.id < b.id ? -1 : 1));
    const binding = ["ListTargetsByRule", input.Rule];
    const { page, next } = pageOf(call, binding, sorted, ({ id }) => id, input);
    return { Targets: page.map(shapeOf), ...next };
  },
});
