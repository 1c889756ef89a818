/**
 * `/console` and everything below. For the API the order is the same for every request: the same
 * site, authenticate, find the endpoint, read and check the input, decide, and only then look.
 */
import { requestFacts } from "../access/access.ts";
import { accessDenied } from "../aws/errors.ts";
import { readBody } from "../aws/read-body.ts";
import type { Validated } from "../aws/validation.ts";
import type { Handler, RequestContext } from "../runtime/request.ts";
import type { AnonymousCall, ConsoleServices } from "./endpoint.ts";
import { ConsoleError, errorResponse } from "./errors.ts";
import { allowedMethods, findEndpoint, findOpenEndpoint } from "./router.ts";
import { readCookie } from "./session-cookie.ts";
import type { ConsoleSession } from "./sessions.ts";

export interface ConsoleHandlerOptions {
  readonly services: ConsoleServices;
  /** The pages themselves. */
  readonly assets: Handler;
  /** Where browsers find this region, when the configuration says so: perhaps through a proxy. */
  readonly endpoint: string | undefined;
  readonly reportError: (error: unknown, context: RequestContext) => void;
}

const apiPath = "/console/api/";
const bodyBytesLimit = 64 * 1024;
/** Sent with everything that is not a GET: a form of another site cannot. */
export const consoleHeader = "x-portolan-console";

export function consoleHandler(options: ConsoleHandlerOptions): Handler {
  return async (request, context) => {
    context.log.endpoint = "console";
    const path = pathOf(request);
    if (!path.startsWith(apiPath)) return options.assets(request, context);
    let response: Response;
    try {
      const answer = await run(options, request, context, path.slice(apiPath.length));
      response = answer instanceof Response ? answer : Response.json(answer);
    } catch (error) {
      if (request.signal.aborted) throw error;
      response = errorResponse(error, context, options.reportError);
    }
    // What one person sees is for no cache.
    response.headers.set("Cache-Control", "no-store");
    response.headers.set("X-Content-Type-Options", "nosniff");
    return response;
  };
}

async function run(
  { services, endpoint }: ConsoleHandlerOptions,
  request: Request,
  context: RequestContext,
  path: string,
): Promise<object> {
  const isRead = request.method === "GET";
  if (!isRead) requireSameSite(request, endpoint);
  const facts = requestFacts(request, context, services.clock.now());
  const call = {
    services,
    request,
    context,
    facts,
    secure: endpoint?.startsWith("https:") === true || context.secure,
  };

  const open = findOpenEndpoint(request.method, path);
  if (open !== undefined) {
    context.log.endpoint = open.name;
    return checked(open.prepare(call, await readInput(request, bodyBytesLimit))).handle();
  }

  const session = await authenticate(call);
  const { principal } = session.key;
  context.log.principal = principal.arn;

  const [service = "", operation = "", ...rest] = path.split("/");
  // A service without an operation is none of its operations: `events` is an endpoint of our own.
  if (path.includes("/") && services.doors.services.includes(service)) {
    const limit = services.doors.bodyBytesLimit(service, operation);
    if (limit === undefined || rest.length > 0) {
      throw new ConsoleError("UnknownEndpoint", "There is no such operation.");
    }
    if (request.method !== "POST") throw methodNotAllowed(["POST"]);
    const input = await readInput(request, limit);
    const host = request.headers.get("host") ?? "";
    return services.doors.perform(service, operation, {
      key: session.key,
      input,
      host,
      context,
      facts,
    });
  }

  const found = findEndpoint(request.method, path);
  if (found === undefined) {
    const allowed = allowedMethods(path);
    if (allowed.length > 0) throw methodNotAllowed(allowed);
    throw new ConsoleError("UnknownEndpoint", "There is no such endpoint.");
  }
  context.log.endpoint = found.name;
  const input = isRead ? queryOf(request) : await readInput(request, bodyBytesLimit);
  const prepared = checked(found.prepare({ ...call, session }, input));
  if (prepared.permissions.length > 0) {
    const caller = { principal, request: facts };
    const decision = await services.access.authorize(caller, prepared.permissions);
    if (!decision.allowed) throw accessDenied(decision);
  }
  return prepared.handle();
}

async function authenticate({ services, request, secure }: AnonymousCall): Promise<ConsoleSession> {
  const cookie = readCookie(services.registry.region, secure, request);
  const session = cookie === undefined ? undefined : await services.sessions.find(cookie);
  if (session === undefined) {
    throw new ConsoleError("SignInRequired", "Nobody is signed in, or the session has ended.");
  }
  return session;
}

/**
 * The cookie is SameSite=Strict already. A port is not part of a site, though: what another server
 * of this host tries is recognized by its origin.
 */
function requireSameSite(request: Request, endpoint: string | undefined): void {
  const { headers } = request;
  const site = headers.get("sec-fetch-site");
  const origin = headers.get("origin");
  const hasForeignOrigin =
    origin !== null &&
    (!URL.canParse(origin) ||
      // A proxy may have written another host into the request.
      (new URL(origin).host !== headers.get("host") &&
        (endpoint === undefined || new URL(endpoint).origin !== origin)));
  if (
    headers.get(consoleHeader) === null ||
    hasForeignOrigin ||
    (site !== null && site !== "same-origin")
  ) {
    throw new ConsoleError("CrossSiteRequest", "The request does not come from the console.");
  }
}

function checked<Output>(validated: Validated<Output>): Output {
  if ("output" in validated) return validated.output;
  const { parameter, text } = validated.violation;
  throw new ConsoleError("InvalidInput", `${parameter === "" ? "input" : parameter}: ${text}`);
}

async function readInput(request: Request, limit: number): Promise<unknown> {
  if (Number(request.headers.get("content-length") ?? 0) > limit) {
    throw new ConsoleError("BodyTooLarge", `The body must have at most ${limit} bytes.`);
  }
  const body = await readBody(request, limit);
  if (body.byteLength === 0) return {};
  if (request.headers.get("content-type")?.split(";")[0]?.trim() !== "application/json") {
    throw new ConsoleError("InvalidInput", "The body must be application/json.");
  }
  try {
    const input: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
    if (typeof input === "object" && input !== null && !Array.isArray(input)) return input;
  } catch {
    // Told below.
  }
  throw new ConsoleError("InvalidInput", "The body must be a JSON object.");
}

function queryOf(request: Request): Readonly<Record<string, string>> {
  const query: Record<string, string> = Object.create(null);
  for (const [name, value] of new URL(request.url).searchParams) query[name] = value;
  return query;
}

function methodNotAllowed(methods: readonly string[]): ConsoleError {
  return new ConsoleError("MethodNotAllowed", `Allowed here: ${methods.join(", ")}.`);
}

/** A request of HTTP/1.0 without `Host` has a URL that cannot be parsed. */
function pathOf(request: Request): string {
  return URL.canParse(request.url) ? new URL(request.url).pathname : "/console/";
}
