/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListEventBuses.html */
import type { ListEventBusesResponse } from "@aws-sdk/client-eventbridge";
import * as v from "valibot";
import { busArn, limit, name, nextToken, onAll, operation, optional } from "../operation.ts";

export const ListEventBuses = operation({
  input: v.object({ NamePrefix: optional(name), NextToken: nextToken, Limit: limit }),
  permission: (call) => onAll("ListEventBuses", call, "event-bus"),
  async handle(call, input): Promise<ListEventBusesResponse> {
    const isNamed = "default".startsWith(input.NamePrefix ?? "");
    return { EventBuses: isNamed ? [{ Name: "default", Arn: busArn(call) }] : [] };
  },
});
