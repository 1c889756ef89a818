/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListRules.html */
import type { ListRulesResponse } from "@aws-sdk/client-eventbridge";
import * as v from "valibot";
import { allRules } from "../../../events/rules.ts";
import {
  eventBus,
  limit,
  name,
  nextToken,
  onAll,
  operation,
  optional,
  pageOf,
  requireDefaultBus,
} from "../operation.ts";
import { ruleShape } from "../rule-shape.ts";

export const ListRules = operation({
  input: v.object({
    NamePrefix: optional(name),
    EventBusName: eventBus,
    NextToken: nextToken,
    Limit: limit,
  }),
  permission: (call) => onAll("ListRules", call, "rule"),
  async handle(call, input): Promise<ListRulesResponse> {
    requireDefaultBus(call, input.EventBusName);
    const all = await allRules(call.service.registry.metadata.read, call.principal.account);
    const named = all.filter((rule) => rule.name.startsWith(input.NamePrefix ?? ""));
    const binding = ["ListRules", input.NamePrefix];
    const { page, next } = pageOf(call, binding, named, (rule) => rule.name, input);
    return { Rules: page.map((each) => ruleShape(call, each.name, each.rule)), ...next };
  },
});
