/**
 * `/healthz`: the process lives. `/healthz/ready`: it can do its work now. Both without
 * credentials, because orchestrators have none; they tell states, not contents.
 */
import type { Clock } from "./clock.ts";
import type { Handler } from "./request.ts";

export interface HealthCheck {
  /** Such as `metadata`. */
  readonly name: string;
  /** Throws, or never resolves, when it is not well. */
  check(): Promise<void>;
}

export interface HealthOptions {
  readonly clock: Clock;
  readonly checks: readonly HealthCheck[];
  readonly isShuttingDown: () => boolean;
  readonly onFailure: (check: string, error: unknown) => void;
}

interface CheckResult {
  readonly name: string;
  readonly ok: boolean;
  readonly reason?: string;
}

/** A check that takes longer has failed. */
const checkMilliseconds = 5_000;
/** Anybody may ask: the disk and the database are not asked more often. */
const resultMilliseconds = 1_000;

export function healthHandler(options: HealthOptions): Handler {
  const { clock } = options;
  let results: Promise<readonly CheckResult[]> | undefined;
  let resultsAt = 0;

  function currentResults(): Promise<readonly CheckResult[]> {
    const now = clock.now();
    if (results === undefined || Math.abs(now - resultsAt) > resultMilliseconds) {
      resultsAt = now;
      results = Promise.all(options.checks.map((check) => runCheck(check, options)));
    }
    return results;
  }

  return async (request, { log }) => {
    log.endpoint = "health";
    const path = /\/healthz(\/[a-z]*)?\/?(?:[?#]|$)/.exec(request.url)?.[1] ?? "/";
    if (request.method !== "GET" && request.method !== "HEAD") {
      return new Response("method not allowed\n", { status: 405, headers: { Allow: "GET, HEAD" } });
    }
    if (path === "/" || path === "/live") return answer(request, 200, { status: "live" });
    if (path !== "/ready") return new Response("not found\n", { status: 404 });
    const checks: CheckResult[] = options.isShuttingDown()
      ? [{ name: "running", ok: false, reason: "shutting down" }]
      : [...(await currentResults())];
    const ready = checks.every((check) => check.ok);
    return answer(request, ready ? 200 : 503, { status: ready ? "ready" : "not ready", checks });
  };
}

function answer(request: Request, status: number, body: unknown): Response {
  const response = Response.json(body, { status, headers: { "Cache-Control": "no-store" } });
  return request.method === "HEAD" ? new Response(null, response) : response;
}

async function runCheck(check: HealthCheck, options: HealthOptions): Promise<CheckResult> {
  const { name } = check;
  const ended = new AbortController();
  const late = options.clock.sleep(checkMilliseconds, ended.signal).then(() => {
    throw new Error(`no answer in ${checkMilliseconds} ms`);
  });
  late.catch(() => {});
  try {
    await Promise.race([check.check(), late]);
    return { name, ok: true };
  } catch (error) {
    options.onFailure(name, error);
    // A code such as ENOSPC helps; messages may tell more than strangers should read.
    const code = (error as { code?: unknown }).code;
    return { name, ok: false, reason: typeof code === "string" ? code : "failed" };
  } finally {
    ended.abort();
  }
}
