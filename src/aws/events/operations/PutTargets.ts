/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html */
import type { PutTargetsResponse } from "@aws-sdk/client-eventbridge";
import * as v from "valibot";
import { putTargets } from "../../../events/rules.ts";
import { addressOf, eventBus, name, onRule, operation, requireDefaultBus } from "../operation.ts";
import { targetOf, targetShape } from "../target-shape.ts";

export const PutTargets = operation({
  input: v.object({
    Rule: name,
    EventBusName: eventBus,
    Targets: v.pipe(v.array(targetShape), v.minLength(1), v.maxLength(100)),
  }),
  permission: (call, input) => onRule("PutTargets", call, input.Rule),
  async handle(call, input): Promise<PutTargetsResponse> {
    requireDefaultBus(call, input.EventBusName);
    const targets = input.Targets.map(targetOf);
    await putTargets(call.service.registry, addressOf(call, input.Rule), targets);
    return { FailedEntryCount: 0, FailedEntries: [] };
  },
});
