/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_EnableRule.html */
import * as v from "valibot";
import { setRuleState } from "../../../events/rules.ts";
import { addressOf, eventBus, name, onRule, operation, requireDefaultBus } from "../operation.ts";

export const EnableRule = operation({
  input: v.object({ Name: name, EventBusName: eventBus }),
  permission: (call, input) => onRule("EnableRule", call, input.Name),
  async handle(call, input) {
    requireDefaultBus(call, input.EventBusName);
    await setRuleState(call.service.registry, addressOf(call, input.Name), true);
    return {};
  },
});
