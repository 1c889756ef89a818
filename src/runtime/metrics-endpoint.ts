/** `/metrics`, for those who may read it. */
import { type MetricsRegistry, metricsContentType } from "./metrics.ts";
import type { Handler } from "./request.ts";

export type MetricsReaders = "loopback" | "root" | "everyone";

export interface MetricsEndpointOptions {
  readonly registry: MetricsRegistry;
  readonly readers: MetricsReaders;
  /** Whether an Authorization header is that of a root. */
  readonly isRoot: (authorization: string) => Promise<boolean>;
}

export function metricsHandler(options: MetricsEndpointOptions): Handler {
  return async (request, { log, clientAddress }) => {
    log.endpoint = "metrics";
    if (request.method !== "GET" && request.method !== "HEAD") {
      return new Response("method not allowed\n", { status: 405, headers: { Allow: "GET, HEAD" } });
    }
    if (!(await mayRead(request, clientAddress))) {
      return new Response("the metrics are not public\n", {
        status: 401,
        headers: { "WWW-Authenticate": 'Basic realm="metrics"' },
      });
    }
    const text = request.method === "HEAD" ? null : await options.registry.text();
    return new Response(text, { headers: { "Content-Type": metricsContentType } });
  };

  async function mayRead(request: Request, clientAddress: string): Promise<boolean> {
    if (options.readers === "everyone") return true;
    // Behind a proxy on this machine everybody comes from loopback: what was forwarded is not ours.
    const direct = !request.headers.has("forwarded") && !request.headers.has("x-forwarded-for");
    if (options.readers === "loopback" && direct && isLoopback(clientAddress)) return true;
    const authorization = request.headers.get("authorization");
    return authorization !== null && options.isRoot(authorization);
  }
}

export function isLoopback(address: string): boolean {
  return /^(::ffff:)?127\.\d+\.\d+\.\d+$/.test(address) || address === "::1";
}
