/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_RemoveTargets.html */
import type { RemoveTargetsResponse } from "@aws-sdk/client-eventbridge";
import * as v from "valibot";
import { removeTargets } from "../../../events/rules.ts";
import {
  addressOf,
  eventBus,
  name,
  onRule,
  operation,
  optional,
  requireDefaultBus,
} from "../operation.ts";

export const RemoveTargets = operation({
  input: v.object({
    Rule: name,
    EventBusName: eventBus,
    Ids: v.pipe(v.array(name), v.minLength(1), v.maxLength(100)),
    Force: optional(v.boolean()),
  }),
  permission: (call, input) => onRule("RemoveTargets", call, input.Rule),
  async handle(call, input): Promise<RemoveTargetsResponse> {
    requireDefaultBus(call, input.EventBusName);
    const address = addressOf(call, input.Rule);
    const absent = await removeTargets(call.service.registry, address, input.Ids);
    const FailedEntries = absent.map((TargetId) => ({
      TargetId,
      ErrorCode: "ResourceNotFoundException",
      ErrorMessage: `Rule ${input.Rule} does not have a target ${TargetId}.`,
    }));
    return { FailedEntryCount: FailedEntries.length, FailedEntries };
  },
});
