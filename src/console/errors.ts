/** Refusals of the console's API, and everything else that can go wrong, in its one shape. */

import { translateRegistryError } from "../aws/ecr/errors.ts";
import { AccessDeniedError, AwsError } from "../aws/errors.ts";
import { translateIdentityError } from "../aws/identity-errors.ts";
import type { RequestContext } from "../runtime/request.ts";
import type { ApiError } from "./api-types.ts";

export class ConsoleError extends Error {
  override readonly name = "ConsoleError";
  readonly code: ConsoleErrorCode;
  readonly retryAfterMilliseconds: number | undefined;
  constructor(
    code: ConsoleErrorCode,
    message: string,
    options: { retryAfterMilliseconds?: number } = {},
  ) {
    super(message);
    this.code = code;
    this.retryAfterMilliseconds = options.retryAfterMilliseconds;
  }
}

const statuses = {
  SignInRequired: 401,
  SignInRefused: 401,
  CrossSiteRequest: 403,
  UnknownEndpoint: 404,
  MethodNotAllowed: 405,
  InvalidInput: 400,
  BodyTooLarge: 413,
  TooManyAttempts: 429,
  TooManyStreams: 429,
  Stopping: 503,
  Internal: 500,
} as const;

export type ConsoleErrorCode = keyof typeof statuses;

/** @returns undefined for an error that nobody foresaw */
function describe(error: unknown): { status: number; body: ApiError } | undefined {
  if (error instanceof ConsoleError) {
    const { code, message, retryAfterMilliseconds } = error;
    const wait = retryAfterMilliseconds;
    return {
      status: statuses[code],
      body: {
        code,
        message,
        ...(wait !== undefined && { retryAfterSeconds: Math.ceil(wait / 1000) }),
      },
    };
  }
  if (error instanceof AccessDeniedError) {
    const { type: code, message, permission } = error;
    return {
      status: 403,
      body: {
        code,
        message,
        ...(permission && { action: permission.action, resource: permission.resource }),
      },
    };
  }
  const known =
    error instanceof AwsError
      ? error
      : (translateRegistryError(error) ?? translateIdentityError(error));
  return known && { status: known.status, body: { code: known.type, message: known.message } };
}

export function errorResponse(
  error: unknown,
  context: RequestContext,
  reportError: (error: unknown, context: RequestContext) => void,
): Response {
  let described = describe(error);
  if (described === undefined) {
    reportError(error, context);
    const message = `The server failed; its log has more under ${context.requestId}.`;
    described = { status: statuses.Internal, body: { code: "Internal", message } };
  }
  const { status, body } = described;
  context.log.errorCode = body.code;
  return Response.json(
    { error: body },
    {
      status,
      headers: {
        ...(body.retryAfterSeconds !== undefined && { "Retry-After": `${body.retryAfterSeconds}` }),
      },
    },
  );
}
