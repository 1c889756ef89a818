/** The console of one region in memory, called as a function, and somebody who calls it. */
import { noThrottle } from "../../src/aws/throttle.ts";
import { assetsHandler } from "../../src/console/assets.ts";
import { chartOf } from "../../src/console/chart.ts";
import { eventStreams } from "../../src/console/event-streams.ts";
import { consoleHandler } from "../../src/console/handler.ts";
import { operationDoors } from "../../src/console/operation-doors.ts";
import { consoleSessions } from "../../src/console/sessions.ts";
import { signInThrottle } from "../../src/console/sign-in-throttle.ts";
import type { LinkStatus } from "../../src/replication/routes.ts";
import type { Clock } from "../../src/runtime/clock.ts";
import type { Handler } from "../../src/runtime/request.ts";
import { type AwsEndpoint, startAwsEndpoint } from "./aws-endpoint.ts";
import type { TestCredentials } from "./iam-client.ts";

export interface ServedConsole extends AsyncDisposable {
  readonly endpoint: AwsEndpoint;
  readonly handler: Handler;
  /** What is known of the ways to the other regions; a test may change it. */
  links: LinkStatus[];
  /** @returns the cookie, as a browser would send it */
  signIn(credentials: TestCredentials): Promise<string>;
  call(
    cookie: string | undefined,
    method: string,
    path: string,
    options?: CallOptions,
  ): Promise<Response>;
}

interface CallOptions {
  readonly body?: object;
  /** Instead of, or besides, those of a page of the console; undefined takes one away. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly secure?: boolean;
  readonly signal?: AbortSignal;
}

const origin = "http://console.test";

export async function serveConsole(
  options: { clock?: Clock; endpoint?: string } = {},
): Promise<ServedConsole> {
  const endpoint = await startAwsEndpoint({
    ...(options.clock !== undefined && { clock: options.clock }),
  });
  const { registry, access, aws, installationKey } = endpoint;
  const { clock, metadata, random, region } = registry;
  const links: LinkStatus[] = [];
  const known = {
    registry,
    clock,
    regions: [{ name: region, endpoint: origin, kind: "region" as const }],
    replication: { links: () => served.links },
  };
  const onError = (error: unknown) => void endpoint.unforeseen.push(error);
  const streams = eventStreams({
    registry,
    access,
    chart: (account) => chartOf(known, account),
    onError,
  });
  const handler = consoleHandler({
    services: {
      ...known,
      access,
      sessions: consoleSessions({
        metadata,
        keys: aws.keys,
        installationKey,
        region,
        clock,
        random,
      }),
      throttle: signInThrottle(clock),
      doors: operationDoors(
        { access, clock, throttle: aws.throttle ?? noThrottle },
        { ecr: aws, identities: aws.identities },
      ),
      streams,
      version: "0.0.0",
    },
    assets: assetsHandler({ load: () => Promise.reject(new Error("not built here")), onError }),
    endpoint: options.endpoint,
    reportError: onError,
  });
  const served: ServedConsole = {
    endpoint,
    handler,
    links,
    async signIn(credentials) {
      const response = await this.call(undefined, "POST", "session", { body: credentials });
      if (response.status !== 204) throw new Error(await response.text());
      return (response.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
    },
    call(cookie, method, path, { body, headers = {}, secure = false, signal } = {}) {
      const all = {
        ...(method !== "GET" && { "X-Portolan-Console": "1", Origin: origin }),
        ...(body !== undefined && { "Content-Type": "application/json" }),
        ...(cookie !== undefined && { Cookie: cookie }),
        Host: "console.test",
        ...headers,
      };
      const given = Object.entries(all).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, value] as [string, string]],
      );
      const request = new Request(`${origin}/console/api/${path}`, {
        method,
        headers: given,
        ...(body !== undefined && { body: JSON.stringify(body) }),
        ...(signal !== undefined && { signal }),
      });
      return handler(request, endpoint.context(secure));
    },
    async [Symbol.asyncDispose]() {
      await streams.stop();
      await endpoint[Symbol.asyncDispose]();
    },
  };
  return served;
}
