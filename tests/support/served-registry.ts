/** A test's registry behind a real socket, with clients that may break the rules of HTTP. */

import { connectRaw, type RawConnection } from "./raw-connection.ts";
import {
  openRegistry,
  type RequestOptions,
  type TestRegistry,
  type TestRegistryOptions,
  testAuthorization,
  testRequestContext,
} from "./registry.ts";

export interface ServedRegistry extends TestRegistry {
  readonly url: string;
  readonly port: number;
  /** A request through the socket. */
  fetch(method: string, path: string, options?: RequestOptions): Promise<Response>;
  /** A connection for bytes that no client library would send. */
  connect(): Promise<RawConnection>;
  /** Errors that escaped from the handler: the server would answer 500. */
  readonly escaped: readonly unknown[];
}

export async function serveRegistry(options: TestRegistryOptions = {}): Promise<ServedRegistry> {
  const registry = await openRegistry(options);
  const escaped: unknown[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    // Tests that stop sending wait for the registry's own limits, not for Bun's.
    idleTimeout: 0,
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    async fetch(request) {
      try {
        return await registry.handler(request, testRequestContext());
      } catch (error) {
        escaped.push(error);
        return new Response(null, { status: 500 });
      }
    },
  });
  const { port } = server;
  if (port === undefined) throw new Error("the server has no port");
  const url = `http://127.0.0.1:${port}`;
  return {
    ...registry,
    url,
    port,
    escaped,
    fetch(method, path, { headers, body, anonymous } = {}) {
      return fetch(new URL(path, url), {
        method,
        headers: { ...(!anonymous && { Authorization: testAuthorization }), ...headers },
        ...(body !== undefined && { body: body as BodyInit }),
      });
    },
    connect: () => connectRaw(port),
    async [Symbol.asyncDispose]() {
      await server.stop(true);
      await registry[Symbol.asyncDispose]();
    },
  };
}

/**
 * Sends bytes as they are on a connection of their own and returns what comes back: one whole
 * response, or whatever there is when the server closes. A request that the server still waits for
 * is ended after a moment.
 */
export async function exchange(
  registry: ServedRegistry,
  request: string,
  patienceMilliseconds = 200,
): Promise<string> {
  using connection = await registry.connect();
  connection.send(request);
  await Promise.race([connection.receive(isComplete), Bun.sleep(patienceMilliseconds)]);
  connection.socket.end();
  if (isComplete(connection.received())) return connection.received();
  return connection.closed();
}

function isComplete(received: string): boolean {
  const end = received.indexOf("\r\n\r\n");
  if (end < 0) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(received.slice(0, end))?.[1] ?? "0";
  return received.length >= end + 4 + Number(length);
}
