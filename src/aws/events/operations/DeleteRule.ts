/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DeleteRule.html */
import * as v from "valibot";
import { deleteRule } from "../../../events/rules.ts";
import {
  addressOf,
  eventBus,
  name,
  onRule,
  operation,
  optional,
  requireDefaultBus,
} from "../operation.ts";

export const DeleteRule = operation({
  input: v.object({ Name: name, EventBusName: eventBus, Force: optional(v.boolean()) }),
  permission: (call, input) => onRule("DeleteRule", call, input.Name),
  async handle(call, input) {
    requireDefaultBus(call, input.EventBusName);
    await deleteRule(call.service.registry, addressOf(call, input.Name));
    return {};
  },
});
