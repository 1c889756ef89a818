/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DeleteApiDestination.html */
import * as v from "valibot";
import { deleteApiDestination } from "../../../events/connections.ts";
import { addressOf, name, onNamed, operation } from "../operation.ts";

export const DeleteApiDestination = operation({
  input: v.object({ Name: name }),
  permission: (call, input) => onNamed("DeleteApiDestination", call, "api-destination", input.Name),
  async handle(call, input) {
    await deleteApiDestination(call.service, addressOf(call, input.Name));
    return {};
  },
});
