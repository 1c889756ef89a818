/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateConnection.html */
import * as v from "valibot";
import { createConnection, encryptAuthorization } from "../../../events/connections.ts";
import {
  authorizationType,
  authParameters,
  connectionSummary,
  givenAuthorization,
} from "../connection-shape.ts";
import { addressOf, description, name, onNamed, operation } from "../operation.ts";

export const CreateConnection = operation({
  input: v.object({
    Name: name,
    Description: description,
    AuthorizationType: authorizationType,
    AuthParameters: authParameters,
  }),
  permission: (call, input) => onNamed("CreateConnection", call, "connection", input.Name),
  async handle(call, input) {
    const { registry } = call.service;
    const target = addressOf(call, input.Name);
    const given = givenAuthorization(input.AuthorizationType, input.AuthParameters);
    const now = registry.clock.now();
    const id = registry.random.uuid();
    const connection = {
      arn: onNamed("", call, "connection", `${input.Name}/${id}`).resource,
      description: input.Description,
      authorization: encryptAuthorization(call.service, target, given),
      createdAt: now,
      changedAt: now,
    };
    await createConnection(call.service, target, connection);
    return connectionSummary(input.Name, connection);
  },
});
