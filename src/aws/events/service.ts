/** EventBridge as a service of the JSON protocol: rules on the events of this region. */
import type { EventsContext } from "../../events/connections.ts";
import { EventsError, type EventsFailure } from "../../events/errors.ts";
import { translateRegistryError } from "../ecr/errors.ts";
import { AwsError } from "../errors.ts";
import type { JsonService } from "../json-protocol.ts";
import { operations } from "./operations/index.ts";

const types = {
  unknown: "ResourceNotFoundException",
  exists: "ResourceAlreadyExistsException",
  limit: "LimitExceededException",
  invalid: "ValidationException",
  pattern: "InvalidEventPatternException",
  in_use: "ValidationException",
  unsupported: "OperationDisabledException",
} satisfies Record<EventsFailure, string>;

export function eventsService(context: EventsContext): JsonService<EventsContext> {
  return {
    signingName: "events",
    targetPrefix: "AWSEvents",
    operations,
    context,
    constraintError: ({ parameter, text }) =>
      new AwsError(
        "ValidationException",
        `1 validation error detected: Value at '${parameter}' failed to satisfy constraint: ${text}`,
      ),
    translateError: (error) =>
      error instanceof EventsError
        ? new AwsError(types[error.failure], error.message)
        : translateRegistryError(error),
    internalError: new AwsError("InternalException", "An internal error occurred.", {
      status: 500,
    }),
  };
}
