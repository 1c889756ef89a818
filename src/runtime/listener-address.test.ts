import { expect, test } from "bun:test";
import { systemRandom } from "./clock.ts";
import { type ListenerOptions, startListener } from "./listener.ts";

const options = (port: number): ListenerOptions => ({
  address: { hostname: "127.0.0.1", port },
  idleSeconds: 10,
  headerBytesLimit: 65_536,
  requestsInFlightLimit: 10,
  random: systemRandom,
  monotonicNow: () => performance.now(),
  handler: async () => new Response("here"),
  onRequest: () => {},
  onError: () => {},
});

test("an address that another server listens on is refused, not shared", async () => {
  const first = startListener(options(0));
  try {
    expect(() => startListener(options(first.address.port))).toThrow(
      expect.objectContaining({ code: "EADDRINUSE" }),
    );
  } finally {
    await first.stop(0);
  }
});
