/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListApiDestinations.html */
import * as v from "valibot";
import { apiDestinationsLimit, connectionsLimit } from "../../../events/connections.ts";
import { apiDestinationKind, eventConnectionKind } from "../../../events/rule-documents.ts";
import { listDocuments } from "../../../registry/documents.ts";
import { destinationShape } from "../connection-shape.ts";
import { arn, limit, name, nextToken, onAll, operation, optional, pageOf } from "../operation.ts";

export const ListApiDestinations = operation({
  input: v.object({
    NamePrefix: optional(name),
    ConnectionArn: optional(arn),
    NextToken: nextToken,
    Limit: limit,
  }),
  permission: (call) => onAll("ListApiDestinations", call, "api-destination"),
  async handle(call, input) {
    const { read } = call.service.registry.metadata;
    const { account } = call.principal;
    const known = await listDocuments(read, eventConnectionKind, account, {
      limit: connectionsLimit,
    });
    const arns = new Map(known.map((each) => [each.name, each.value.arn]));
    const all = await listDocuments(read, apiDestinationKind, account, {
      limit: apiDestinationsLimit,
    });
    const named = all.filter(
      (each) =>
        each.name.startsWith(input.NamePrefix ?? "") &&
        (input.ConnectionArn === undefined ||
          arns.get(each.value.connection) === input.ConnectionArn),
    );
    const binding = ["ListApiDestinations", input.NamePrefix, input.ConnectionArn];
    const { page, next } = pageOf(call, binding, named, (each) => each.name, input);
    return {
      ApiDestinations: page.map((each) => {
        const arnOfConnection = arns.get(each.value.connection);
        const shape = destinationShape(call, each.name, each.value, arnOfConnection);
        const { Description: _description, ...summary } = shape;
        return summary;
      }),
      ...next,
    };
  },
});
