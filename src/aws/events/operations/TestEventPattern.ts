/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_TestEventPattern.html */
import type { TestEventPatternResponse } from "@aws-sdk/client-eventbridge";
import * as v from "valibot";
import { matches } from "../../../events/pattern-match.ts";
import { parseEventPattern } from "../../../events/pattern-syntax.ts";
import { checkPattern } from "../../../events/rules.ts";
import { operation, pattern, validation } from "../operation.ts";

/** What EventBridge requires of the event. */
const required = ["id", "account", "source", "time", "region", "resources", "detail-type"];

export const TestEventPattern = operation({
  input: v.object({ EventPattern: pattern, Event: v.string() }),
  permission: () => ({ action: "events:TestEventPattern", resource: "*" }),
  async handle(_call, input): Promise<TestEventPatternResponse> {
    checkPattern(input.EventPattern);
    let event: unknown;
    try {
      event = JSON.parse(input.Event);
    } catch {
      throw validation("Parameter Event is not valid. Reason: it is not JSON.");
    }
    for (const member of required) {
      if (typeof event !== "object" || event === null || !Object.hasOwn(event, member)) {
        throw validation(`Parameter Event is not valid. Reason: ${member} is missing.`);
      }
    }
    return { Result: matches(parseEventPattern(input.EventPattern), event) };
  },
});
