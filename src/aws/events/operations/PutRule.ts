/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html */
import type { PutRuleResponse } from "@aws-sdk/client-eventbridge";
import * as v from "valibot";
import { putRule } from "../../../events/rules.ts";
import {
  addressOf,
  arn,
  arnOf,
  description,
  eventBus,
  name,
  onRule,
  operation,
  optional,
  pattern,
  requireDefaultBus,
  tagList,
  tagsOf,
  validation,
} from "../operation.ts";

export const PutRule = operation({
  input: v.object({
    Name: name,
    EventPattern: optional(pattern),
    ScheduleExpression: optional(v.pipe(v.string(), v.maxLength(256))),
    State: optional(
      v.picklist(["ENABLED", "DISABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"]),
    ),
    Description: description,
    RoleArn: optional(arn),
    Tags: optional(tagList),
    EventBusName: eventBus,
  }),
  permission: (call, input) => [
    onRule("PutRule", call, input.Name),
    ...(input.Tags === undefined ? [] : [onRule("TagResource", call, input.Name)]),
  ],
  async handle(call, input): Promise<PutRuleResponse> {
    requireDefaultBus(call, input.EventBusName);
    if (input.ScheduleExpression) throw validation("ScheduleExpression is not supported.");
    if (!input.EventPattern) {
      throw validation("Parameter(s) EventPattern or ScheduleExpression must be specified.");
    }
    await putRule(call.service, addressOf(call, input.Name), {
      pattern: input.EventPattern,
      isEnabled: input.State !== "DISABLED",
      description: input.Description,
      roleArn: input.RoleArn,
      tags: tagsOf(input.Tags ?? []),
    });
    return { RuleArn: arnOf(call, input.Name) };
  },
});
