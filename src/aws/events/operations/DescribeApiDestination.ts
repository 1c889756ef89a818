/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeApiDestination.html */
import * as v from "valibot";
import { findApiDestination } from "../../../events/connections.ts";
import { eventConnectionKind } from "../../../events/rule-documents.ts";
import { findDocument } from "../../../registry/documents.ts";
import { destinationShape } from "../connection-shape.ts";
import { name, onNamed, operation } from "../operation.ts";

export const DescribeApiDestination = operation({
  input: v.object({ Name: name }),
  permission: (call, input) =>
    onNamed("DescribeApiDestination", call, "api-destination", input.Name),
  async handle(call, input) {
    const { read } = call.service.registry.metadata;
    const { account } = call.principal;
    const destination = await findApiDestination(read, account, input.Name);
    const connection = await findDocument(
      read,
      eventConnectionKind,
      account,
      destination.connection,
    );
    return destinationShape(call, input.Name, destination, connection?.value.arn);
  },
});
