/**
 * The AWS Query protocol: one URL, the operation in a form, XML out. The order of checks of every
 * operation lives here and nowhere else; it is that of json-protocol.ts.
 * https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
 */
import { type Access, type Permission, requestFacts } from "../access/access.ts";
import type { AccessKeys } from "../access/credentials.ts";
import type { Clock } from "../runtime/clock.ts";
import type { RequestContext } from "../runtime/request.ts";
import {
  AwsError,
  accessDenied,
  invalidSignature,
  missingAuthenticationToken,
  requestEntityTooLarge,
  serialization,
} from "./errors.ts";
import type { AuthenticatedCall, OperationGate } from "./json-protocol.ts";
import { inQueryTerms, queryAnswer, queryError } from "./query-answer.ts";
import { type FormValue, parseForm } from "./query-form.ts";
import type { QueryOperation } from "./query-operation.ts";
import { readBody } from "./read-body.ts";
import { queryOf, readSignature } from "./read-signature.ts";
import { authenticateSignature } from "./sigv4.ts";
import type { Throttle } from "./throttle.ts";
import type { Violation } from "./validation.ts";

/** An operation whose caller proves itself by what is in the input, and signs nothing. */
export type UnsignedOperation<ServiceContext> = (
  call: {
    readonly service: ServiceContext;
    readonly request: RequestContext;
    readonly now: number;
  },
  input: unknown,
  authorize: Access["authorize"],
) => Promise<object>;

export interface QueryService<ServiceContext> {
  /** In credential scopes and in the log, for example `iam`. */
  readonly signingName: string;
  /** `Version` of every request, such as `2010-05-08`. */
  readonly version: string;
  readonly namespace: string;
  readonly operations: Readonly<Record<string, QueryOperation<ServiceContext>>>;
  readonly unsignedOperations: Readonly<Record<string, UnsignedOperation<ServiceContext>>>;
  readonly context: ServiceContext;
  /** The service's word for an error of its verbs; undefined for one that nobody foresaw. */
  translateError(error: unknown): AwsError | undefined;
}

export interface QueryProtocolOptions {
  readonly region: string;
  readonly access: Access;
  readonly keys: AccessKeys;
  readonly clock: Clock;
  readonly throttle: Throttle;
  /** Takes the errors that nobody foresaw; the client gets a bare 500. */
  readonly reportError: (error: unknown, request: RequestContext) => void;
}

/** The services are global: clients of every region sign for this one. */
const globalRegion = "us-east-1";
/** Two policies of the greatest length, encoded, fit in. */
const bodyBytesLimit = 512 * 1024;
const unsignedBodyBytesLimit = 64 * 1024;

/** Answers a form. */
export async function handleQuery<ServiceContext>(
  services: readonly QueryService<ServiceContext>[],
  options: QueryProtocolOptions,
  request: Request,
  context: RequestContext,
): Promise<Response> {
  let namespace = services[0]?.namespace ?? "";
  let service: QueryService<ServiceContext> | undefined;
  try {
    const isSigned =
      request.headers.has("authorization") || queryOf(request).has("X-Amz-Algorithm");
    if (!isSigned) {
      const form = parseForm(await readBody(request, unsignedBodyBytesLimit));
      service = services.find(({ version }) => version === form.Version);
      if (service === undefined) throw missingAuthenticationToken();
      namespace = service.namespace;
      const name = operationName(service, form);
      const result = await runUnsigned(service, options, name, form, context);
      return queryAnswer(context, namespace, name, result);
    }
    service = serviceOf(services, request);
    namespace = service.namespace;
    const { name, result } = await run(service, options, request, context);
    return queryAnswer(context, namespace, name, result);
  } catch (error) {
    const known = error instanceof AwsError ? inQueryTerms(error) : service?.translateError(error);
    if (known === undefined) options.reportError(error, context);
    return queryError(context, namespace, known ?? internalError);
  }
}

const internalError = new AwsError(
  "ServiceFailure",
  "The request processing has failed because of an unknown error, exception or failure.",
  { status: 500 },
);

/** By the scope of the credential: the form is not read before the signature is known to be right. */
function serviceOf<ServiceContext>(
  services: readonly QueryService<ServiceContext>[],
  request: Request,
): QueryService<ServiceContext> {
  const { credential } = readSignature(request, queryOf(request));
  const name = credential.split("/").at(-2);
  const service = services.find(({ signingName }) => signingName === name);
  if (service !== undefined) return service;
  const names = services.map(({ signingName }) => `'${signingName}'`).join(" or ");
  throw invalidSignature(`Credential should be scoped to correct service: ${names}.`);
}

async function run<ServiceContext>(
  service: QueryService<ServiceContext>,
  options: QueryProtocolOptions,
  request: Request,
  context: RequestContext,
): Promise<{ name: string; result: object | undefined }> {
  const { region, keys, clock } = options;
  if (Number(request.headers.get("content-length") ?? 0) > bodyBytesLimit) {
    throw requestEntityTooLarge(bodyBytesLimit);
  }
  const { key, body } = await authenticateSignature(request, {
    region,
    otherRegions: [globalRegion],
    service: service.signingName,
    now: clock.now(),
    secure: context.secure,
    keys,
    readBody: () => readBody(request, bodyBytesLimit),
  });
  const { principal } = key;
  context.log.principal = principal.arn;

  const form = parseForm(body);
  const name = operationName(service, form);
  const result = await performQueryOperation(service, options, {
    name,
    key,
    input: form,
    host: request.headers.get("host") ?? "",
    context,
    facts: requestFacts(request, context, clock.now()),
  });
  return { name, result };
}

/**
 * A call of somebody who is known, through whatever door. The input's values are texts, as in a form.
 * @throws AwsError, and the errors of the service's verbs
 */
export async function performQueryOperation<ServiceContext>(
  service: QueryService<ServiceContext>,
  { access, throttle, clock }: OperationGate,
  { name, key, input, host, context, facts }: AuthenticatedCall & { readonly name: string },
): Promise<object | undefined> {
  const { principal } = key;
  const operation = Object.hasOwn(service.operations, name) ? service.operations[name] : undefined;
  if (operation === undefined) throw invalidAction(name, service.version);
  context.log.endpoint = `${service.signingName}.${name}`;
  throttle.check(principal.arn, service.signingName, name, clock.now());

  const call = {
    service: service.context,
    principal,
    accessKeyId: key.id,
    sessionToken: key.sessionToken,
    expiresAt: key.expiresAt,
    host,
    request: context,
    facts,
    authorize: (permissions: readonly Permission[]) =>
      access.authorize({ principal, request: facts }, permissions),
  };
  const prepared = operation.prepare(call, input);
  if ("violation" in prepared) throw violationError(prepared.violation);

  // Permission, before anything is told: a refusal does not tell what exists.
  const permissions = await prepared.output.permissions();
  const decision = await access.authorize({ principal, request: facts }, permissions);
  if (!decision.allowed) throw accessDenied(decision);
  return prepared.output.handle();
}

async function runUnsigned<ServiceContext>(
  service: QueryService<ServiceContext>,
  { access, clock }: QueryProtocolOptions,
  name: string,
  form: Readonly<Record<string, FormValue>>,
  context: RequestContext,
): Promise<object> {
  const operation = Object.hasOwn(service.unsignedOperations, name)
    ? service.unsignedOperations[name]
    : undefined;
  if (operation === undefined) throw missingAuthenticationToken();
  context.log.endpoint = `${service.signingName}.${name}`;
  const call = { service: service.context, request: context, now: clock.now() };
  return operation(call, form, (caller, permissions) => access.authorize(caller, permissions));
}

function operationName(
  { version }: { version: string },
  form: Readonly<Record<string, FormValue>>,
): string {
  const { Action: action, Version: asked } = form;
  if (typeof action !== "string" || typeof asked !== "string") {
    throw new AwsError(
      "MissingAction",
      "The request must contain the parameters Action and Version.",
    );
  }
  if (asked !== version) throw invalidAction(action, asked);
  return action;
}

function invalidAction(name: string, version: string): AwsError {
  return new AwsError(
    "InvalidAction",
    `Could not find operation ${name.slice(0, 64)} for version ${version.slice(0, 32)}`,
  );
}

export function violationError({ kind, parameter, text }: Violation): AwsError {
  if (kind === "type") return serialization(`${lowerFirst(parameter)}: ${text}`);
  const value = text === "Member must not be null" ? "Value null" : "Value";
  return new AwsError(
    "ValidationError",
    `1 validation error detected: ${value} at '${lowerFirst(parameter)}' failed to satisfy constraint: ${text}`,
  );
}

/** Messages write members as the model does, with a small letter first. */
function lowerFirst(parameter: string): string {
  return parameter.replace(/(^|\.)[A-Z]/g, (start) => start.toLowerCase());
}
