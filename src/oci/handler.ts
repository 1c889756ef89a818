/**
 * The OCI Distribution API as one handler. The order is the same for every request: authenticate,
 * find the endpoint, check the name, decide, and only then look.
 */
import {
  type Access,
  type Authentication,
  type Caller,
  repositoryArn,
  requestFacts,
} from "../access/access.ts";
import { isRepositoryName } from "../image/reference.ts";
import type { PullThrough } from "../pull-through/pull-through.ts";
import type { RegistryContext } from "../registry/context.ts";
import { isCreatedByPush } from "../registry/create-repository.ts";
import { RegistryError } from "../registry/errors.ts";
import type { Handler, RequestContext } from "../runtime/request.ts";
import type { EndpointInput, OciSettings } from "./endpoint.ts";
import {
  asProtocolError,
  ociErrorResponse,
  ProtocolError,
  protocolErrorResponse,
} from "./errors.ts";
import { type ParsedPath, parsePath, parseQuery, splitUrl } from "./path.ts";
import { allowedMethods, findEndpoint } from "./router.ts";

export interface OciHandlerOptions {
  readonly context: RegistryContext;
  readonly access: Access;
  readonly settings: OciSettings;
  /** Repositories that are caches of an upstream. */
  readonly cache?: PullThrough | undefined;
  /** How long a principal has to wait before its next request, in milliseconds; 0: it may go on. */
  readonly throttle?: ((principalArn: string, now: number) => number) | undefined;
}

export function ociHandler(options: OciHandlerOptions): Handler {
  return async (request, requestContext) => {
    const answer = await respond(options, request, requestContext);
    const response = request.method === "HEAD" ? withoutBody(answer) : answer;
    response.headers.set("Docker-Distribution-API-Version", "registry/2.0");
    return response;
  };
}

/** What a GET says, with the length of the body that is not sent. */
function withoutBody({ status, headers }: Response): Response {
  return new Response(null, { status, headers });
}

async function respond(
  options: OciHandlerOptions,
  request: Request,
  requestContext: RequestContext,
): Promise<Response> {
  const { log } = requestContext;
  try {
    return withBase(await answer(options, request, requestContext), options.settings);
  } catch (error) {
    const protocolError = asProtocolError(error);
    if (protocolError !== undefined) {
      log.errorCode = protocolError.error;
      return protocolErrorResponse(protocolError);
    }
    if (!(error instanceof RegistryError)) throw error;
    log.errorCode = error.code;
    return withBase(ociErrorResponse(error), options.settings);
  }
}

/** @throws ProtocolError, RegistryError */
async function answer(
  { context, access, settings, cache, throttle }: OciHandlerOptions,
  request: Request,
  requestContext: RequestContext,
): Promise<Response> {
  const { log, secure } = requestContext;
  const authentication = await access.authenticateBasic(request.headers.get("authorization"));
  if ("failure" in authentication) {
    log.endpoint = "unauthenticated";
    throw challenge(request, secure, authentication.failure);
  }
  const { principal } = authentication;
  log.principal = principal.arn;
  const waitMilliseconds = throttle?.(principal.arn, context.clock.now()) ?? 0;
  if (waitMilliseconds > 0) {
    log.endpoint = "throttled";
    throw new ProtocolError("requests_too_many", "Rate exceeded", {
      "Retry-After": String(Math.ceil(waitMilliseconds / 1000)),
    });
  }

  const { path, query } = splitUrl(request.url);
  const parsed = parsePath(path);
  if (parsed === undefined) throw new ProtocolError("endpoint_unknown", "no such endpoint");
  const endpoint = findEndpoint(parsed.route, request.method);
  if (endpoint === undefined) {
    throw new ProtocolError("method_unsupported", `${request.method} is not supported here`, {
      Allow: allowedMethods(parsed.route).join(", "),
    });
  }
  log.endpoint = endpoint.name;
  checkName(parsed);
  if (parsed.repository !== "") log.repository = parsed.repository;
  const account = accountOfHost(request.headers.get("host")) ?? principal.account;
  const caller: Caller = {
    principal,
    request: requestFacts(request, requestContext, context.clock.now()),
  };
  const input: EndpointInput = {
    request,
    query: parseQuery(query),
    context,
    access,
    settings,
    principal,
    caller,
    actor: principal.arn,
    cache,
    puller: {
      actor: principal.arn,
      async mayImport(actions) {
        const resource = repositoryArn(context.region, account, parsed.repository);
        const permissions = actions.map((action) => ({ action, resource }));
        return (await access.authorize(caller, permissions)).allowed;
      },
    },
    pace: {
      clock: context.clock,
      stallMilliseconds: settings.bodyStallMilliseconds,
      onReceived: (bytes) => {
        log.bytesReceived = (log.bytesReceived ?? 0) + bytes;
      },
    },
    account,
    repository: parsed.repository,
    mayCreate: false,
    reference: parsed.reference,
  };
  if (endpoint.action !== undefined) {
    const further = endpoint.furtherActions?.filter((each) => each.isNeeded(input)) ?? [];
    await requirePermission(input, [endpoint.action, ...further.map(({ action }) => action)]);
  }
  if (!endpoint.createsRepository || !(await mustBeCreated(input))) return endpoint.handle(input);
  await requirePermission(input, ["ecr:CreateRepository"]);
  return endpoint.handle({ ...input, mayCreate: true });
}

/** @throws ProtocolError unless the caller may do all of it in the repository */
async function requirePermission(
  { access, caller, context, account, repository }: EndpointInput,
  actions: readonly string[],
): Promise<void> {
  const resource = repositoryArn(context.region, account, repository || "*");
  const permissions = actions.map((action) => ({ action, resource }));
  const decision = await access.authorize(caller, permissions);
  if (!decision.allowed) throw new ProtocolError("denied", decision.message);
}

/** Asked only for those who may push to the repository: others learn nothing of what is there. */
function mustBeCreated({ context, account, repository }: EndpointInput): Promise<boolean> {
  return isCreatedByPush(context, { account, repository });
}

/** Routes with a repository need a valid name. */
function checkName({ route, repository }: ParsedPath): void {
  if (route === "base" || route === "catalog") return;
  if (route === "extensions" && repository === "") return;
  if (!isRepositoryName(repository)) {
    throw new RegistryError("name_invalid", { name: repository.slice(0, 256) });
  }
}

const challenges: Record<Extract<Authentication, { failure: unknown }>["failure"], string> = {
  missing: "authentication required",
  malformed: "the Authorization header is malformed: expected Basic credentials",
  invalid: "Not Authorized",
  expired: "Your authorization token has expired. Reauthenticate and try again.",
};

/** The body of the request is never read. */
function challenge(
  request: Request,
  secure: boolean,
  failure: keyof typeof challenges,
): ProtocolError {
  const host = /^[a-zA-Z0-9.:[\]_-]{1,255}$/.exec(request.headers.get("host") ?? "")?.[0];
  const realm = `${secure ? "https" : "http"}://${host ?? "localhost"}/`;
  return new ProtocolError("unauthorized", challenges[failure], {
    "WWW-Authenticate": `Basic realm="${realm}",service="ecr.amazonaws.com"`,
  });
}

/** `111122223333.dkr.ecr.us-east-1.example.com` addresses that account's registry. */
function accountOfHost(host: string | null): string | undefined {
  return host === null ? undefined : /^(\d{12})\.dkr[.-]ecr(?:-fips)?\./.exec(host)?.[1];
}

function withBase(response: Response, { locationBaseUrl }: OciSettings): Response {
  const location = response.headers.get("location");
  if (locationBaseUrl !== undefined && location?.startsWith("/")) {
    response.headers.set("Location", locationBaseUrl.replace(/\/$/, "") + location);
  }
  return response;
}
