/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateApiDestination.html */
import * as v from "valibot";
import { createApiDestination } from "../../../events/connections.ts";
import { connectionOfArn, destinationShape, method, methodOf } from "../connection-shape.ts";
import { addressOf, arn, description, name, onNamed, operation, optional } from "../operation.ts";

const endpoint = v.pipe(v.string(), v.minLength(1), v.maxLength(2048));
const rate = optional(v.pipe(v.number(), v.integer(), v.minValue(1)));

export const CreateApiDestination = operation({
  input: v.object({
    Name: name,
    Description: description,
    ConnectionArn: arn,
    InvocationEndpoint: endpoint,
    HttpMethod: method,
    InvocationRateLimitPerSecond: rate,
  }),
  permission: (call, input) => onNamed("CreateApiDestination", call, "api-destination", input.Name),
  async handle(call, input) {
    const { registry } = call.service;
    const now = registry.clock.now();
    const id = registry.random.uuid();
    const destination = {
      arn: onNamed("", call, "api-destination", `${input.Name}/${id}`).resource,
      description: input.Description,
      connection: connectionOfArn(call, input.ConnectionArn),
      endpoint: input.InvocationEndpoint,
      method: methodOf(input.HttpMethod),
      invocationRateLimitPerSecond: input.InvocationRateLimitPerSecond ?? 300,
      createdAt: now,
      changedAt: now,
    };
    await createApiDestination(call.service, addressOf(call, input.Name), destination);
    const shape = destinationShape(call, input.Name, destination, input.ConnectionArn);
    const { ApiDestinationArn, ApiDestinationState, CreationTime, LastModifiedTime } = shape;
    return { ApiDestinationArn, ApiDestinationState, CreationTime, LastModifiedTime };
  },
});
