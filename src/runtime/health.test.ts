import { expect, test } from "bun:test";
import { manualClock } from "../../tests/support/manual-clock.ts";
import { type HealthCheck, healthHandler } from "./health.ts";
import type { RequestContext } from "./request.ts";

const context = (): RequestContext => ({
  requestId: "r",
  clientAddress: "192.0.2.1",
  secure: false,
  log: {},
});

function health(check: () => Promise<void>) {
  const clock = manualClock();
  const failures: string[] = [];
  let shuttingDown = false;
  let calls = 0;
  const checks: HealthCheck[] = [
    { name: "metadata", check: async () => {} },
    {
      name: "blobs",
      check() {
        calls++;
        return check();
      },
    },
  ];
  const handler = healthHandler({
    clock,
    checks,
    isShuttingDown: () => shuttingDown,
    onFailure: (name, error) => failures.push(`${name}: ${(error as Error).message}`),
  });
  return {
    clock,
    failures,
    calls: () => calls,
    shutDown: () => {
      shuttingDown = true;
    },
    ask: (path: string, method = "GET") =>
      handler(new Request(`http://a${path}`, { method }), context()),
  };
}

test("a process that answers is live, whatever its disk does", async () => {
  const { ask, calls } = health(() => Promise.reject(new Error("broken")));
  for (const path of ["/healthz", "/healthz/", "/healthz/live", "/healthz?verbose"]) {
    expect((await ask(path)).status).toBe(200);
  }
  expect(calls()).toBe(0);
  expect((await ask("/healthz/nonsense")).status).toBe(404);
  const refused = await ask("/healthz", "POST");
  expect([refused.status, refused.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
});

test("it is ready when every check passes", async () => {
  const { ask } = health(async () => {});
  const response = await ask("/healthz/ready");
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({
    status: "ready",
    checks: [
      { name: "metadata", ok: true },
      { name: "blobs", ok: true },
    ],
  });
  const head = await ask("/healthz/ready", "HEAD");
  expect([head.status, await head.text()]).toEqual([200, ""]);
});

test("a check that fails is named with its code, and the log gets the rest", async () => {
  const error = Object.assign(new Error("no space left in /var/lib/secret"), { code: "ENOSPC" });
  const { ask, failures } = health(() => Promise.reject(error));
  const response = await ask("/healthz/ready");
  expect(response.status).toBe(503);
  const body = await response.text();
  expect(JSON.parse(body).checks[1]).toEqual({ name: "blobs", ok: false, reason: "ENOSPC" });
  expect(body).not.toContain("secret");
  expect(failures).toEqual(["blobs: no space left in /var/lib/secret"]);
});

test("a check that hangs has failed after five seconds", async () => {
  const { ask, clock } = health(() => new Promise(() => {}));
  const answer = ask("/healthz/ready");
  await new Promise((resolve) => setImmediate(resolve));
  clock.advance(5_000);
  expect((await answer).status).toBe(503);
});

test("asking often does not check often", async () => {
  const { ask, clock, calls } = health(async () => {});
  await Promise.all(Array.from({ length: 100 }, () => ask("/healthz/ready")));
  expect(calls()).toBe(1);
  clock.advance(1_001);
  await ask("/healthz/ready");
  expect(calls()).toBe(2);
});

test("a server that shuts down is live and not ready", async () => {
  const { ask, shutDown } = health(async () => {});
  shutDown();
  const response = await ask("/healthz/ready");
  expect(response.status).toBe(503);
  expect(await response.text()).toContain("shutting down");
  expect((await ask("/healthz")).status).toBe(200);
});
