/** A server that is told to stop does not wait for browsers that watch it. */
import { expect, test } from "bun:test";
import { startServer } from "../support/server-process.ts";

test("streams of events end with the server, and nothing is cut off", async () => {
  await using server = await startServer();
  const headers = { "X-Portolan-Console": "1", "Content-Type": "application/json" };
  const signedIn = await fetch(`${server.endpoint}/console/api/session`, {
    method: "POST",
    headers,
    body: JSON.stringify(server.credentials),
  });
  expect(signedIn.status).toBe(204);
  const cookie = (signedIn.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
  const events = await fetch(`${server.endpoint}/console/api/events`, { headers: { cookie } });
  const reader = events.body?.pipeThrough(new TextDecoderStream()).getReader();
  expect((await reader?.read())?.value).toContain("event: hello");
  const exitCode = server.stop();
  while (!(await reader?.read())?.done) {
    // Whatever was still written.
  }
  expect(await exitCode).toBe(0);
  expect(server.log()).not.toContain("cut off");
  // A session outlives its server.
  await server.start();
  const again = await fetch(`${server.endpoint}/console/api/session`, { headers: { cookie } });
  expect(again.status).toBe(200);
});
