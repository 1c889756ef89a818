/** Secrets Manager as a service of the JSON protocol: what upstream credentials need of it. */
import { SecretError, type SecretFailure, type SecretsContext } from "../../access/secrets.ts";
import { translateRegistryError } from "../ecr/errors.ts";
import { AwsError } from "../errors.ts";
import type { JsonService } from "../json-protocol.ts";
import { operations } from "./operations/index.ts";

const types: Readonly<Record<SecretFailure, string>> = {
  exists: "ResourceExistsException",
  unknown: "ResourceNotFoundException",
  deleted: "InvalidRequestException",
  limit: "LimitExceededException",
};

export function secretsService(context: SecretsContext): JsonService<SecretsContext> {
  return {
    signingName: "secretsmanager",
    targetPrefix: "secretsmanager",
    operations,
    context,
    constraintError: ({ parameter, text }) =>
      new AwsError("InvalidParameterException", `Invalid parameter ${parameter}: ${text}`),
    translateError: (error) =>
      error instanceof SecretError
        ? new AwsError(types[error.failure], error.message)
        : translateRegistryError(error),
    internalError: new AwsError("InternalServiceError", "An error occurred on the server side.", {
      status: 500,
    }),
  };
}
