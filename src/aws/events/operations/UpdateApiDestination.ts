/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_UpdateApiDestination.html */
import * as v from "valibot";
import { changeApiDestination } from "../../../events/connections.ts";
import { connectionOfArn, destinationShape, method, methodOf } from "../connection-shape.ts";
import { addressOf, arn, description, name, onNamed, operation, optional } from "../operation.ts";

const endpoint = v.pipe(v.string(), v.minLength(1), v.maxLength(2048));
const rate = optional(v.pipe(v.number(), v.integer(), v.minValue(1)));

export const UpdateApiDestination = operation({
  input: v.object({
    Name: name,
    Description: description,
    ConnectionArn: optional(arn),
    InvocationEndpoint: optional(endpoint),
    HttpMethod: optional(method),
    InvocationRateLimitPerSecond: rate,
  }),
  permission: (call, input) => onNamed("UpdateApiDestination", call, "api-destination", input.Name),
  async handle(call, input) {
    const { registry } = call.service;
    const target = addressOf(call, input.Name);
    const changed = await changeApiDestination(call.service, target, (present) => ({
      ...present,
      ...(input.Description !== undefined && { description: input.Description }),
      ...(input.ConnectionArn !== undefined && {
        connection: connectionOfArn(call, input.ConnectionArn),
      }),
      ...(input.InvocationEndpoint !== undefined && { endpoint: input.InvocationEndpoint }),
      ...(input.HttpMethod !== undefined && { method: methodOf(input.HttpMethod) }),
      ...(input.InvocationRateLimitPerSecond !== undefined && {
        invocationRateLimitPerSecond: input.InvocationRateLimitPerSecond,
      }),
      changedAt: registry.clock.now(),
    }));
    const shape = destinationShape(call, input.Name, changed, changed.connection);
    const { ApiDestinationArn, ApiDestinationState, CreationTime, LastModifiedTime } = shape;
    return { ApiDestinationArn, ApiDestinationState, CreationTime, LastModifiedTime };
  },
});
