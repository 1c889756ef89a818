/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_UpdateConnection.html */
import * as v from "valibot";
import { changeConnection, encryptAuthorization } from "../../../events/connections.ts";
import {
  authorizationType,
  authParameters,
  connectionSummary,
  givenAuthorization,
} from "../connection-shape.ts";
import {
  addressOf,
  description,
  name,
  onNamed,
  operation,
  optional,
  validation,
} from "../operation.ts";

export const UpdateConnection = operation({
  input: v.object({
    Name: name,
    Description: description,
    AuthorizationType: optional(authorizationType),
    AuthParameters: optional(authParameters),
  }),
  permission: (call, input) => onNamed("UpdateConnection", call, "connection", input.Name),
  async handle(call, input) {
    const { registry } = call.service;
    const target = addressOf(call, input.Name);
    const { AuthorizationType: type, AuthParameters: parameters } = input;
    if ((type === undefined) !== (parameters === undefined)) {
      throw validation("AuthorizationType and AuthParameters must be given together.");
    }
    const authorization =
      type && parameters
        ? encryptAuthorization(call.service, target, givenAuthorization(type, parameters))
        : undefined;
    const changed = await changeConnection(call.service, target, (present) => ({
      ...present,
      ...(input.Description !== undefined && { description: input.Description }),
      ...(authorization !== undefined && { authorization }),
      changedAt: registry.clock.now(),
    }));
    return connectionSummary(input.Name, changed);
  },
});
