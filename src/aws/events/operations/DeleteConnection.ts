/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DeleteConnection.html */
import * as v from "valibot";
import { deleteConnection } from "../../../events/connections.ts";
import { connectionSummary } from "../connection-shape.ts";
import { addressOf, name, onNamed, operation } from "../operation.ts";

export const DeleteConnection = operation({
  input: v.object({ Name: name }),
  permission: (call, input) => onNamed("DeleteConnection", call, "connection", input.Name),
  async handle(call, input) {
    const deleted = await deleteConnection(call.service, addressOf(call, input.Name));
    return { ...connectionSummary(input.Name, deleted), ConnectionState: "DELETING" };
  },
});
