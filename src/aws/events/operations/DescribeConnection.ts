/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeConnection.html */
import * as v from "valibot";
import { findConnection } from "../../../events/connections.ts";
import { connectionShape } from "../connection-shape.ts";
import { name, onNamed, operation } from "../operation.ts";

export const DescribeConnection = operation({
  input: v.object({ Name: name }),
  permission: (call, input) => onNamed("DescribeConnection", call, "connection", input.Name),
  async handle(call, input) {
    const { read } = call.service.registry.metadata;
    const connection = await findConnection(read, call.principal.account, input.Name);
    return connectionShape(input.Name, connection);
  },
});
