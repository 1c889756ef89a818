import { expect, test } from "bun:test";
import { metricsRegistry } from "./metrics.ts";
import { isLoopback, type MetricsReaders, metricsHandler } from "./metrics-endpoint.ts";

async function ask(
  readers: MetricsReaders,
  clientAddress: string,
  headers: Record<string, string> = {},
  method = "GET",
): Promise<number> {
  const handler = metricsHandler({
    registry: metricsRegistry(),
    readers,
    isRoot: async (authorization) => authorization === "Basic root",
  });
  const request = new Request("http://a/metrics", { headers, method });
  const context = { requestId: "r", clientAddress, secure: false, log: {} };
  return (await handler(request, context)).status;
}

const root = { authorization: "Basic root" };
const far = "192.0.2.1";

test("by default this machine and root may read", async () => {
  expect(await ask("loopback", "127.0.0.1")).toBe(200);
  expect(await ask("loopback", far)).toBe(401);
  expect(await ask("loopback", far, { authorization: "Basic user" })).toBe(401);
  expect(await ask("loopback", far, root)).toBe(200);
  expect(await ask("loopback", far, root, "POST")).toBe(405);
});

test("a proxy on this machine makes nobody local", async () => {
  expect(await ask("loopback", "127.0.0.1", { "x-forwarded-for": far })).toBe(401);
  expect(await ask("loopback", "127.0.0.1", { forwarded: `for=${far}` })).toBe(401);
});

test("it can be root alone, or everyone", async () => {
  expect(await ask("root", "127.0.0.1")).toBe(401);
  expect(await ask("root", "127.0.0.1", root)).toBe(200);
  expect(await ask("everyone", far)).toBe(200);
});

test("loopback is known in every spelling, and nothing else is", () => {
  expect(["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"].every(isLoopback)).toBe(true);
  expect(["", "128.0.0.1", "10.127.0.0", "::2", "1127.0.0.1"].some(isLoopback)).toBe(false);
});
