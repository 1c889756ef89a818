/**
 * The socket: the only place that calls Bun.serve. It gives every request an id and a context,
 * keeps the limits that only a server can keep, and ends without cutting transfers off.
 *
 * What Bun does by itself (measured with 1.4, tests/operations/hostile-connections.test.ts): a
 * request head must be complete within 10 s, however slowly it drips; a body must bring at least
 * 16 KiB per idle time; headers beyond the limit or more than 200 are answered 431; HTTP/1.1
 * without Host, and Content-Length together with Transfer-Encoding, are answered 400;
 * `Expect: 100-continue` is answered with 100 before the handler sees the request.
 */
import http from "node:http";
import type { Random } from "./clock.ts";
import type { ListenAddress } from "./configuration-values.ts";
import type { Handler, RequestContext, RequestLogFields } from "./request.ts";
import type { TlsFiles } from "./tls-files.ts";

/** What is known of a request when its response has been handed to the socket. */
export interface RequestRecord {
  readonly requestId: string;
  readonly method: string;
  /** As the server saw it: perhaps only a path. */
  readonly url: string;
  readonly status: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** Until the response begins; what a client takes to fetch the body is not in it. */
  readonly durationMilliseconds: number;
  readonly hasCredentials: boolean;
  /** A function, because the address costs a tenth of a small request and not everyone asks. */
  readonly clientAddress: () => string;
  readonly fields: RequestLogFields;
}

export interface ListenerOptions {
  readonly address: ListenAddress;
  readonly tls?: TlsFiles;
  readonly handler: Handler;
  readonly random: Random;
  /** Milliseconds from any beginning, never backwards. */
  readonly monotonicNow: () => number;
  readonly idleSeconds: number;
  /** Of a whole request head. One process has one value: the last listener sets it. */
  readonly headerBytesLimit: number;
  readonly requestsInFlightLimit: number;
  readonly onRequest: (record: RequestRecord) => void;
  /** The handler threw, which it should not. */
  readonly onError: (error: unknown, requestId: string) => void;
}

export interface Listener {
  /** With the port that the system chose. */
  readonly address: ListenAddress;
  readonly secure: boolean;
  /** Requests whose response has not been sent completely. */
  requestsInFlight(): number;
  /**
   * New connections get the new certificate, running ones keep theirs.
   * @throws when certificate and key do not fit; the old ones stay
   */
  replaceTls(tls: TlsFiles): void;
  /**
   * Accepts nothing more and waits for what is in flight; what is not done at the deadline is cut.
   * Resolves with the number of requests that were cut.
   */
  stop(deadlineMilliseconds: number): Promise<number>;
}

/**
 * How long a handler may work without a byte on the connection, when the request has a body: the
 * end of an upload may read back and fsync many gigabytes.
 */
const workSeconds = 300;

/** Ours are UUIDs; a proxy's may be anything short that needs no escaping. */
const requestIdPattern = /^[A-Za-z0-9._:/+=-]{1,128}$/;

type BunServer = Bun.Server<undefined>;

export function startListener(options: ListenerOptions): Listener {
  // Bun.serve reads its limit from here; the types do not know that it can be set.
  Reflect.set(http, "maxHeaderSize", options.headerBytesLimit);
  let tls = options.tls;
  let server = serve(options.address, tls);
  const address = { ...options.address, port: server.port ?? options.address.port };
  /** Servers that were replaced and still finish what they had begun. */
  const draining = new Set<BunServer>();
  let stopped = false;

  function serve(at: ListenAddress, files: TlsFiles | undefined): BunServer {
    return Bun.serve({
      hostname: at.hostname,
      port: at.port,
      idleTimeout: options.idleSeconds,
      // The handlers have limits of their own, per kind of content.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      development: false,
      // Without it `development: false` shares the port with whoever listens there already, and
      // half of the connections would reach another server.
      reusePort: false,
      ...(files !== undefined && { tls: { cert: files.certificate, key: files.key } }),
      fetch: respond,
      error(error) {
        options.onError(error, "");
        return new Response(null, { status: 500 });
      },
    });
  }

  async function respond(request: Request, from: BunServer): Promise<Response> {
    const begin = options.monotonicNow();
    const { headers, method } = request;
    const given = headers.get("x-request-id");
    const requestId =
      given !== null && requestIdPattern.test(given) ? given : options.random.uuid();
    const fields: RequestLogFields = {};
    let peerAddress: string | undefined;
    const clientAddress = () => {
      peerAddress ??= from.requestIP(request)?.address ?? "";
      return peerAddress;
    };
    const context: RequestContext = {
      requestId,
      get clientAddress() {
        return clientAddress();
      },
      secure: tls !== undefined,
      log: fields,
    };
    const hasBody = method === "PUT" || method === "PATCH" || method === "POST";
    if (hasBody) from.timeout(request, Math.max(workSeconds, options.idleSeconds));
    let response: Response;
    if (from.pendingRequests > options.requestsInFlightLimit) {
      fields.endpoint = "overloaded";
      response = new Response("too many requests in flight\n", {
        status: 503,
        headers: { "Retry-After": "1" },
      });
    } else {
      try {
        response = await options.handler(request, context);
      } catch (error) {
        options.onError(error, requestId);
        response = new Response(null, { status: 500 });
      }
    }
    // A body that nobody will read must not hold the connection as long as one that is awaited.
    if (hasBody && response.status >= 400) from.timeout(request, options.idleSeconds);
    response.headers.set("X-Request-Id", requestId);
    options.onRequest({
      requestId,
      method,
      url: request.url,
      status: response.status,
      bytesReceived: fields.bytesReceived ?? lengthOf(headers),
      bytesSent: method === "HEAD" ? 0 : (fields.bytesSent ?? lengthOf(response.headers)),
      durationMilliseconds: options.monotonicNow() - begin,
      hasCredentials: headers.has("authorization"),
      clientAddress,
      fields,
    });
    return response;
  }

  return {
    address,
    secure: tls !== undefined,
    requestsInFlight() {
      let count = server.pendingRequests;
      for (const old of draining) count += old.pendingRequests;
      return count;
    },
    replaceTls(files) {
      if (stopped) return;
      // A trial elsewhere, because between the old socket and the new there is no way back.
      serve({ hostname: "127.0.0.1", port: 0 }, files).stop(true);
      const old = server;
      draining.add(old);
      const drained = () => draining.delete(old);
      // Stops listening at once; connections with a request in flight stay.
      old.stop().then(drained, drained);
      tls = files;
      server = serve(address, files);
    },
    async stop(deadlineMilliseconds) {
      stopped = true;
      const servers = [server, ...draining];
      const finished = Promise.all(servers.map((each) => each.stop())).then(() => true);
      const deadline = Promise.withResolvers<false>();
      const timer = setTimeout(() => deadline.resolve(false), deadlineMilliseconds);
      const inTime = await Promise.race([finished, deadline.promise]);
      clearTimeout(timer);
      if (inTime) return 0;
      const cut = servers.reduce((count, each) => count + each.pendingRequests, 0);
      for (const each of servers) void each.stop(true);
      return cut;
    },
  };
}

function lengthOf(headers: Headers): number {
  return Number(headers.get("content-length") ?? 0) || 0;
}
