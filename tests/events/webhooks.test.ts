/** Webhooks to receivers that fail in every way. */
import { expect, test } from "bun:test";
import { listDeadLetters } from "../../src/events/dead-letters.ts";
import { selectLanes } from "../../src/metadata/queries/event-deliveries.ts";
import { fileTarget, openEventWorld } from "../support/event-world.ts";
import { freePort } from "../support/free-port.ts";
import { waitUntil } from "../support/wait-until.ts";
import { startWebhookReceiver } from "../support/webhook-receiver.ts";

const created = { detail: { eventName: ["CreateRepository"] } };

async function world(options: { timeoutMilliseconds?: number } = {}) {
  const receiver = startWebhookReceiver();
  const events = await openEventWorld({ privateHosts: [receiver.host], settings: options });
  const arn = await events.webhook("hook", `http://${receiver.host}/`);
  await events.rule("r", created, { id: "w", arn });
  const { read } = events.registry.context.metadata;
  return {
    receiver,
    events,
    lane: async () => (await selectLanes(read)).find(({ target }) => target === "w"),
    letters: () => listDeadLetters(read, { limit: 10 }),
    async [Symbol.asyncDispose]() {
      await events[Symbol.asyncDispose]();
      await receiver[Symbol.asyncDispose]();
    },
  };
}

for (const status of [401, 407, 408, 409, 425, 429, 500, 503]) {
  test(`${status} is tried again`, async () => {
    await using w = await world();
    w.receiver.answer(() => new Response("later", { status }));
    await w.events.createRepositories("a");
    await w.events.settle();
    expect(await w.lane()).toMatchObject({ waiting: 1, failure_code: "status_retried" });
    w.receiver.answer();
    w.events.registry.clock.advance(1000);
    await w.events.settle();
    expect(await w.lane()).toMatchObject({ waiting: 0, failure_code: null });
    expect(w.receiver.accepted).toHaveLength(1);
  });
}

for (const [status, code] of [
  [400, "status_refused"],
  [404, "status_refused"],
  [302, "redirect_refused"],
  [307, "redirect_refused"],
] as const) {
  test(`${status} makes a dead letter at once, and what follows is delivered`, async () => {
    await using w = await world();
    const location = `http://${w.receiver.host}/elsewhere`;
    w.receiver.answer(() => {
      w.receiver.answer();
      return new Response(null, { status, headers: { location } });
    });
    await w.events.createRepositories("a", "b");
    await w.events.settle();
    expect((await w.letters()).map((letter) => letter.code)).toEqual([code]);
    expect(w.receiver.received.map(({ path }) => path)).toEqual(["/", "/"]);
    expect(w.receiver.accepted).toHaveLength(1);
  });
}

test("Retry-After is heeded", async () => {
  await using w = await world();
  const headers = { "retry-after": "120" };
  w.receiver.answer(() => new Response(null, { status: 503, headers }));
  await w.events.createRepositories("a");
  await w.events.settle();
  w.events.registry.clock.advance(119_000);
  await w.events.settle();
  expect(w.receiver.received).toHaveLength(1);
  w.events.registry.clock.advance(1000);
  await w.events.settle();
  expect(w.receiver.received).toHaveLength(2);
});

test("a receiver that stalls is given up, and delays no other target", async () => {
  await using w = await world({ timeoutMilliseconds: 300 });
  const stalled = Promise.withResolvers<Response>();
  w.receiver.answer(() => stalled.promise);
  await w.events.rule("other", created, fileTarget("one"));
  await w.events.createRepositories("a");
  await w.events.events.tick();
  // While the webhook hangs, the file has its event.
  await waitUntil("the file", () => w.events.lines.one?.length === 1);
  await w.events.events.settled();
  expect(await w.lane()).toMatchObject({ waiting: 1, failure_code: "timeout" });
  stalled.resolve(new Response());
});

test("endless and broken answers do no harm", async () => {
  await using w = await world();
  const endless = () =>
    new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(64 * 1024)),
    });
  w.receiver.answer(() => new Response(endless()));
  await w.events.createRepositories("a");
  await w.events.settle();
  expect(await w.lane()).toMatchObject({ waiting: 0 });
});

test("a receiver that is not there is tried again", async () => {
  const host = `127.0.0.1:${freePort()}`;
  await using events = await openEventWorld({ privateHosts: [host] });
  const arn = await events.webhook("hook", `http://${host}/`);
  await events.rule("r", created, { id: "w", arn });
  await events.createRepositories("a");
  await events.settle();
  const [lane] = await selectLanes(events.registry.context.metadata.read);
  expect(lane).toMatchObject({ waiting: 1, failure_code: "unreachable" });
});

test("garbage instead of HTTP is tried again", async () => {
  using listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data(socket) {
        socket.end("\u0000\u0001 nonsense\r\n\r\n");
      },
    },
  });
  const host = `127.0.0.1:${listener.port}`;
  await using events = await openEventWorld({ privateHosts: [host] });
  const arn = await events.webhook("hook", `http://${host}/`);
  await events.rule("r", created, { id: "w", arn });
  await events.createRepositories("a");
  await events.settle();
  const [lane] = await selectLanes(events.registry.context.metadata.read);
  expect(lane).toMatchObject({ waiting: 1, failure_code: "unreachable" });
});

test("a name that has a private address is not asked", async () => {
  await using receiver = startWebhookReceiver();
  await using events = await openEventWorld({ privateHosts: [] });
  // localhost is refused by name; this one by its address alone, when it is connected to.
  const { sendWebhook } = await import("../../src/runtime/webhook-request.ts");
  const port = receiver.host.split(":")[1];
  const asked = sendWebhook({
    url: new URL(`http://localhost:${port}/`),
    ...{ method: "POST", headers: {}, body: "{}", timeoutMilliseconds: 5000 },
    signal: new AbortController().signal,
    mayConnect: (_url, address) => !address.startsWith("127.") && address !== "::1",
  });
  expect(asked).rejects.toThrow("privateHosts");
  await asked.catch(() => {});
  expect(receiver.received).toEqual([]);
  const webhook = events.webhook("hook", `http://${receiver.host}/`);
  expect(webhook).rejects.toThrow("HTTPS");
  await webhook.catch(() => {});
});

test("credentials of a connection are sent as it says", async () => {
  await using receiver = startWebhookReceiver();
  await using events = await openEventWorld({ privateHosts: [receiver.host] });
  const url = `http://${receiver.host}/`;
  const basic = await events.webhook("b", url, { kind: "basic", user: "jo", secret: "pa:ss" });
  const key = await events.webhook("k", url, { kind: "header", name: "X-Key", secret: "s3cret" });
  await events.rule("r", created, { id: "b", arn: basic }, { id: "k", arn: key });
  await events.createRepositories("a");
  await events.settle();
  const headers = receiver.received.map((each) => each.headers);
  expect(headers.map((each) => each.authorization)).toContain(`Basic ${btoa("jo:pa:ss")}`);
  expect(headers.map((each) => each["x-key"])).toContain("s3cret");
  const { read } = events.registry.context.metadata;
  const stored = await read.all<{ value: string }>("select value from documents");
  expect(JSON.stringify(stored)).not.toContain("s3cret");
});
