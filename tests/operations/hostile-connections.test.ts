/** Connections that no honest client makes: they cost little and harm nobody else. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connectRaw } from "../support/raw-connection.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { authorization, type ServerProcess, startServer } from "./portolan-process.ts";

const directory = temporaryDirectory();
let server: ServerProcess;

beforeAll(async () => {
  server = await startServer([
    ...["--data", directory.path, "--set", "limits.idle=8s", "--set", "limits.headers=16KiB"],
    ...["--set", "limits.requestsInFlight=50"],
  ]);
}, 120_000);

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  directory.remove();
});

async function exchange(text: string): Promise<string> {
  using connection = await connectRaw(server.port);
  connection.send(text);
  return await connection.receive("\r\n\r\n");
}

const statusOf = (answer: string) => Number(/^HTTP\/1\.\d (\d{3})/.exec(answer)?.[1]);

async function expectWell(): Promise<void> {
  const response = await fetch(`${server.url}/v2/`, { headers: { authorization } });
  expect(response.status).toBe(200);
}

describe("requests", () => {
  const cases: readonly [string, string, number][] = [
    ["HTTP/1.0 without Host", "GET /healthz HTTP/1.0\r\n\r\n", 200],
    ["HTTP/1.0 without Host and credentials", "GET /v2/ HTTP/1.0\r\n\r\n", 401],
    ["HTTP/1.0 without Host, unknown path", "GET /x/../y?z HTTP/1.0\r\n\r\n", 404],
    ["HTTP/1.1 without Host", "GET /healthz HTTP/1.1\r\n\r\n", 400],
    ["a Host that is none", "GET /healthz HTTP/1.1\r\nHost: <a b>/\r\n\r\n", 200],
    ["a Host that is none, with a challenge", 'GET /v2/ HTTP/1.1\r\nHost: a"b\r\n\r\n', 401],
    ["the absolute form", "GET http://elsewhere/healthz HTTP/1.1\r\nHost: a\r\n\r\n", 200],
    ["a path that climbs", "GET /v2/../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", 404],
    ["TLS on a plain port", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n", 400],
    ["no HTTP at all", "hello\r\n\r\n", 400],
    [
      "two lengths",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      400,
    ],
    ["a negative length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400],
  ];
  test.each(cases)("%s", async (_, text, status) => {
    expect(statusOf(await exchange(text))).toBe(status);
    await expectWell();
  });

  test("a header that is too large is answered 431, one that is not is read", async () => {
    const withHeader = (bytes: number) =>
      exchange(`GET /healthz HTTP/1.1\r\nHost: a\r\nX-Large: ${"x".repeat(bytes)}\r\n\r\n`);
    expect(statusOf(await withHeader(12 * 1024))).toBe(200);
    expect(statusOf(await withHeader(20 * 1024))).toBe(431);
    expect(statusOf(await withHeader(1024 ** 2))).toBe(431);
    const many = Array.from({ length: 1000 }, (_, i) => `X-${i}: 1\r\n`).join("");
    expect(statusOf(await exchange(`GET /healthz HTTP/1.1\r\nHost: a\r\n${many}\r\n`))).toBe(431);
    await expectWell();
  });

  test("a method that nobody knows ends the connection", async () => {
    using connection = await connectRaw(server.port);
    connection.send("BREW /v2/ HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(await connection.closed()).toBe("");
    await expectWell();
  });

  test("a request id of the client's is kept when it is sane, and replaced when not", async () => {
    const requestId = async (given?: string) => {
      const headers = given === undefined ? undefined : { "x-request-id": given };
      const response = await fetch(`${server.url}/healthz`, headers && { headers });
      return response.headers.get("x-request-id") ?? "";
    };
    expect(await requestId("trace-1:a/b")).toBe("trace-1:a/b");
    const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-/;
    expect(await requestId()).toMatch(uuid);
    for (const bad of ['"},"level":"fatal', "a b", "x".repeat(200)]) {
      expect(await requestId(bad)).toMatch(uuid);
    }
  });
});

describe("bodies", () => {
  test("401 comes without the body being read", async () => {
    using connection = await connectRaw(server.port);
    connection.send(
      "POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000000\r\n\r\n",
    );
    // Not a byte of the body was sent.
    expect(statusOf(await connection.receive("UNAUTHORIZED"))).toBe(401);
  });
});

// Each waits for timers of the server, not for the processor: together they take as long as one.
describe("slow connections", () => {
  test.concurrent("an upload that stalls holds its connection for minutes, not for ever", async () => {
    using connection = await connectRaw(server.port);
    connection.send(`PUT /v2/a/manifests/b HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n`);
    // Without credentials it is refused at once, and the rest is waited for as long as for an
    // idle connection.
    await connection.receive("UNAUTHORIZED");
    await connection.closed();
    await expectWell();
  }, 120_000);

  test.concurrent("one that says nothing, one that stops in its head, and one kept alive are closed", async () => {
    using silent = await connectRaw(server.port);
    using stopped = await connectRaw(server.port);
    stopped.send("GET /healthz HT");
    using kept = await connectRaw(server.port);
    kept.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    await kept.receive("live");
    await Promise.all([silent.closed(), stopped.closed(), kept.closed()]);
    expect(silent.received()).toBe("");
    expect(stopped.received()).toBe("");
  }, 120_000);

  test.concurrent("a head that drips is cut, and a hundred of them keep nobody waiting", async () => {
    const connections = await Promise.all(
      Array.from({ length: 100 }, () => connectRaw(server.port)),
    );
    for (const each of connections) each.send("GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow: ");
    // A byte a second keeps every idle timer from firing: only a limit for the whole head helps.
    const drip = setInterval(() => {
      for (const each of connections) if (each.socket.writable) each.send("a");
    }, 1000);
    try {
      await expectWell();
      await Promise.all(connections.map((each) => each.closed()));
    } finally {
      clearInterval(drip);
      for (const each of connections) each.socket.destroy();
    }
    await expectWell();
  }, 120_000);
});

test("more requests than the limit are told to come back", async () => {
  const sessions = await Promise.all(
    Array.from({ length: 50 }, async () => {
      const connection = await connectRaw(server.port);
      // Authenticated, so that the handler waits for the body.
      connection.send(
        `PUT /v2/a/manifests/b HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\nContent-Type: application/vnd.oci.image.manifest.v1+json\r\nContent-Length: 100000\r\nExpect: 100-continue\r\n\r\n{`,
      );
      await connection.receive("100 Continue");
      return connection;
    }),
  );
  try {
    const response = await fetch(`${server.url}/v2/`, { headers: { authorization } });
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("1");
  } finally {
    for (const each of sessions) each.socket.destroy();
  }
  const deadline = Date.now() + 10_000;
  let status = 503;
  while (status === 503 && Date.now() < deadline) {
    status = (await fetch(`${server.url}/v2/`, { headers: { authorization } })).status;
  }
  expect(status).toBe(200);
}, 120_000);
