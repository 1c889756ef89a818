/**
 * The protocol AWS JSON 1.1: one URL, the operation in a header, JSON in and out. The order of
 * checks of every operation lives here and nowhere else.
 * https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
 */
import { type Access, type Permission, type RequestFacts, requestFacts } from "../access/access.ts";
import type { AccessKey, AccessKeys } from "../access/credentials.ts";
import type { Clock } from "../runtime/clock.ts";
import type { RequestContext } from "../runtime/request.ts";
import {
  AwsError,
  accessDenied,
  requestEntityTooLarge,
  serialization,
  unknownOperation,
} from "./errors.ts";
import type { Operation } from "./operation.ts";
import { readBody } from "./read-body.ts";
import { authenticateSignature } from "./sigv4.ts";
import type { Throttle } from "./throttle.ts";
import type { Violation } from "./validation.ts";

export interface JsonService<ServiceContext> {
  /** In credential scopes and in the log, for example `ecr`. */
  readonly signingName: string;
  /** `X-Amz-Target` is this, a dot, and the operation's name. */
  readonly targetPrefix: string;
  readonly operations: Readonly<Record<string, Operation<ServiceContext>>>;
  readonly context: ServiceContext;
  constraintError(violation: Violation): AwsError;
  /** The service's word for an error of the registry; undefined for one that nobody foresaw. */
  translateError(error: unknown): AwsError | undefined;
  /** What a client is told of an error that nobody foresaw. */
  readonly internalError: AwsError;
}

export interface JsonProtocolOptions {
  readonly region: string;
  readonly access: Access;
  readonly keys: AccessKeys;
  readonly clock: Clock;
  readonly throttle: Throttle;
  /** Takes the errors that nobody foresaw; the client gets a bare 500. */
  readonly reportError: (error: unknown, request: RequestContext) => void;
}

/** Answers a request whose target has the service's prefix. */
export async function handleJson<ServiceContext>(
  service: JsonService<ServiceContext>,
  options: JsonProtocolOptions,
  request: Request,
  context: RequestContext,
): Promise<Response> {
  try {
    return jsonAnswer(context, 200, await run(service, options, request, context));
  } catch (error) {
    const known = error instanceof AwsError ? error : service.translateError(error);
    if (known === undefined) options.reportError(error, context);
    return errorAnswer(known ?? service.internalError, context);
  }
}

async function run<ServiceContext>(
  service: JsonService<ServiceContext>,
  options: JsonProtocolOptions,
  request: Request,
  context: RequestContext,
): Promise<object> {
  const { region, keys, clock } = options;
  // Target: which operation, and with it which limits.
  const name = operationName(service.targetPrefix, request);
  const operation = Object.hasOwn(service.operations, name) ? service.operations[name] : undefined;
  if (operation === undefined) throw unknownOperation();
  context.log.endpoint = `${service.signingName}.${name}`;

  // Limits, as far as the headers tell.
  const limit = operation.bodyBytesLimit;
  if (Number(request.headers.get("content-length") ?? 0) > limit) {
    throw requestEntityTooLarge(limit);
  }

  // Authentication. The body is read when the key is known to exist, and not before.
  const { key, body } = await authenticateSignature(request, {
    region,
    service: service.signingName,
    now: clock.now(),
    secure: context.secure,
    keys,
    readBody: () => readBody(request, limit),
  });
  context.log.principal = key.principal.arn;

  return performOperation(service, options, {
    name,
    operation,
    key,
    input: parse(body),
    host: request.headers.get("host") ?? "",
    context,
    facts: requestFacts(request, context, clock.now()),
  });
}

/** What stands between somebody who is known and an operation. */
export type OperationGate = Pick<JsonProtocolOptions, "access" | "throttle" | "clock">;

/** A call of somebody who is known, through whatever door. */
export interface AuthenticatedCall {
  readonly key: AccessKey;
  /** Not checked yet. */
  readonly input: unknown;
  /** As the client addressed this server. */
  readonly host: string;
  readonly context: RequestContext;
  readonly facts: RequestFacts;
}

/**
 * How often, types, constraints, permission, and then the operation itself.
 * @throws AwsError, and the errors of the registry
 */
export async function performOperation<ServiceContext>(
  service: JsonService<ServiceContext>,
  { access, throttle, clock }: OperationGate,
  request: AuthenticatedCall & {
    readonly name: string;
    readonly operation: Operation<ServiceContext>;
  },
): Promise<object> {
  const { key, context, facts } = request;
  context.log.endpoint = `${service.signingName}.${request.name}`;

  // How often: only who is known can be counted.
  throttle.check(key.principal.arn, service.signingName, request.name, clock.now());

  // Types, then constraints.
  const caller = { principal: key.principal, request: facts };
  const call = {
    service: service.context,
    principal: key.principal,
    accessKeyId: key.id,
    sessionToken: key.sessionToken,
    expiresAt: key.expiresAt,
    host: request.host,
    request: context,
    authorize: (permissions: readonly Permission[]) => access.authorize(caller, permissions),
  };
  const prepared = request.operation.prepare(call, request.input);
  if ("violation" in prepared) {
    const { violation } = prepared;
    throw violation.kind === "type"
      ? serialization(violation.text)
      : service.constraintError(violation);
  }

  // Permission, before anything is looked up: a refusal does not tell what exists.
  const decision = await access.authorize(caller, prepared.output.permissions);
  if (!decision.allowed) throw accessDenied(decision);

  return prepared.output.handle();
}

/** Empty when the request is not one of the protocol, or is for another service. */
function operationName(prefix: string, request: Request): string {
  const contentType = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (contentType !== jsonContentType) return "";
  const target = request.headers.get("x-amz-target") ?? "";
  return target.startsWith(`${prefix}.`) ? target.slice(prefix.length + 1) : "";
}

function parse(body: Uint8Array): unknown {
  let input: unknown;
  try {
    input = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    throw serialization("The request body is not JSON.");
  }
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    throw serialization("The request body must be a JSON object.");
  }
  return input;
}

const jsonContentType = "application/x-amz-json-1.1";

export function errorAnswer(error: AwsError, context: RequestContext): Response {
  context.log.errorCode = error.type;
  const body = { __type: error.type, message: error.message, ...error.fields };
  return jsonAnswer(context, error.status, body, { "x-amzn-ErrorType": error.type });
}

function jsonAnswer(
  context: RequestContext,
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: {
      "content-type": jsonContentType,
      "x-amzn-RequestId": context.requestId,
      ...headers,
    },
  });
}
