/** A rule as EventBridge's API has it. */
import type { Rule } from "@aws-sdk/client-eventbridge";
import type { EventRule } from "../../events/rule-documents.ts";
import { arnOf, type EventsCall } from "./operation.ts";

export function ruleShape(call: EventsCall, name: string, rule: EventRule): Rule {
  return {
    Name: name,
    Arn: arnOf(call, name),
    EventPattern: rule.pattern,
    State: rule.isEnabled ? "ENABLED" : "DISABLED",
    ...(rule.description !== undefined && { Description: rule.description }),
    ...(rule.roleArn !== undefined && { RoleArn: rule.roleArn }),
    EventBusName: "default",
  };
}
