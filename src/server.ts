/**
 * `(Request, context) => Response`: sends each request to the part that answers it. Parts that are
 * not there are left out.
 */
import { splitUrl } from "./oci/path.ts";
import { type Logger, silentLogger } from "./runtime/logger.ts";
import type { Handler, RequestContext } from "./runtime/request.ts";

export interface ServerParts {
  /** `/v2/…` */
  readonly oci: Handler;
  /** `POST /` */
  readonly aws?: Handler;
  /** `/layers/…` */
  readonly layers?: Handler;
  /** `/replication/…` */
  readonly replication?: Handler;
  /** `/console`, `/console/…` */
  readonly console?: Handler;
  /** `/healthz`, `/healthz/ready` */
  readonly health: Handler;
  /** `/metrics` */
  readonly metrics?: Handler;
  /** `GET /` */
  readonly welcome: Handler;
  readonly logger?: Logger;
}

export function createServer(parts: ServerParts): Handler {
  const logger = parts.logger ?? silentLogger;

  // Not async itself: every layer of promises costs a small request a few percent.
  function route(request: Request, context: RequestContext): Promise<Response> {
    const { path } = splitUrl(request.url);
    if (path.startsWith("/v2/") || path === "/v2") return parts.oci(request, context);
    if (path === "/") {
      if (request.method === "POST" && parts.aws !== undefined) return parts.aws(request, context);
      if (parts.console !== undefined && wantsPage(request)) return toConsole(context);
      return parts.welcome(request, context);
    }
    if ((path === "/console" || path.startsWith("/console/")) && parts.console !== undefined) {
      return parts.console(request, context);
    }
    if (path.startsWith("/layers/") && parts.layers !== undefined) {
      return parts.layers(request, context);
    }
    if (path.startsWith("/replication/") && parts.replication !== undefined) {
      return parts.replication(request, context);
    }
    if (path === "/healthz" || path.startsWith("/healthz/")) return parts.health(request, context);
    if (path === "/metrics" && parts.metrics !== undefined) return parts.metrics(request, context);
    context.log.endpoint = "unknown";
    return Promise.resolve(new Response("not found\n", { status: 404 }));
  }

  return async (request, context) => {
    try {
      return await route(request, context);
    } catch (error) {
      context.log.errorCode ??= "internal";
      // A client that went away is its own affair, and nobody reads the answer.
      if (request.signal.aborted) return new Response(null, { status: 499 });
      logger.error({ requestId: context.requestId, error }, "request failed unexpectedly");
      return new Response(
        `internal error; the log of the server has more under the request id ${context.requestId}\n`,
        { status: 500 },
      );
    }
  };
}

/** Browsers ask for HTML by name; registry clients and curl do not. */
function wantsPage({ method, headers }: Request): boolean {
  return method === "GET" && (headers.get("accept") ?? "").includes("text/html");
}

async function toConsole({ log }: RequestContext): Promise<Response> {
  log.endpoint = "welcome";
  return new Response(null, { status: 302, headers: { Location: "/console/", Vary: "Accept" } });
}

/** A line for whoever asks for the address without being a browser. */
export function welcomeHandler(region: string, version: string): Handler {
  const text = `Portolan ${version}, region ${region}: a container registry. docker login, push and pull work against this address.\n`;
  return async (request, { log }) => {
    log.endpoint = "welcome";
    if (request.method !== "GET" && request.method !== "HEAD") {
      return new Response("method not allowed\n", { status: 405, headers: { Allow: "GET, HEAD" } });
    }
    return new Response(request.method === "HEAD" ? null : text, {
      headers: { "Content-Type": "text/plain; charset=utf-8" },
    });
  };
}
