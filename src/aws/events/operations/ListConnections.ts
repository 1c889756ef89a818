/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListConnections.html */
import * as v from "valibot";
import { connectionsLimit } from "../../../events/connections.ts";
import { eventConnectionKind } from "../../../events/rule-documents.ts";
import { listDocuments } from "../../../registry/documents.ts";
import { connectionSummary } from "../connection-shape.ts";
import { limit, name, nextToken, onAll, operation, optional, pageOf } from "../operation.ts";

export const ListConnections = operation({
  input: v.object({ NamePrefix: optional(name), NextToken: nextToken, Limit: limit }),
  permission: (call) => onAll("ListConnections", call, "connection"),
  async handle(call, input) {
    const { read } = call.service.registry.metadata;
    const { account } = call.principal;
    const all = await listDocuments(read, eventConnectionKind, account, {
      limit: connectionsLimit,
    });
    const named = all.filter((each) => each.name.startsWith(input.NamePrefix ?? ""));
    const binding = ["ListConnections", input.NamePrefix];
    const { page, next } = pageOf(call, binding, named, (each) => each.name, input);
    return { Connections: page.map((each) => connectionSummary(each.name, each.value)), ...next };
  },
});
