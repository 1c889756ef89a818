/** A server that is told to stop finishes what it has begun, within its deadline. */
import { expect, test } from "bun:test";
import { connect } from "node:net";
import { connectRaw } from "../support/raw-connection.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { pullBlob, pushBlob, startUpload, testBlob } from "./blob-transfers.ts";
import { authorization, startServer } from "./portolan-process.ts";

function refused(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.once("connect", () => {
      socket.destroy();
      resolve(false);
    });
    socket.once("error", () => resolve(true));
  });
}

test.concurrent("an upload in flight is finished, and what it brought is kept", async () => {
  using directory = temporaryDirectory();
  const blob = testBlob(3_000_000);
  {
    await using server = await startServer(["--data", directory.path]);
    using upload = await connectRaw(server.port);
    using idle = await connectRaw(server.port);
    idle.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    await idle.receive("live");
    const location = await startUpload(server, "app");
    const url = `${location}${location.includes("?") ? "&" : "?"}digest=${blob.digest}`;
    upload.send(
      `PUT ${url} HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\nContent-Length: ${blob.bytes.length}\r\nExpect: 100-continue\r\n\r\n`,
    );
    upload.send(blob.bytes.subarray(0, 1_000_000));
    await upload.receive("100 Continue");
    server.signal("SIGTERM");
    expect((await server.line("shutting down")).inFlight).toBe(1);
    // Nobody new comes in, and nobody idle is kept.
    await idle.closed();
    expect(await refused(server.port)).toBe(true);
    upload.send(blob.bytes.subarray(1_000_000));
    expect(await upload.receive("Docker-Content-Digest")).toContain("HTTP/1.1 201");
    expect(await server.ended).toBe(0);
    await server.line("stopped");
  }
  await using again = await startServer(["--data", directory.path]);
  const pulled = await pullBlob(again, "app", blob.digest);
  expect(Buffer.compare(pulled, blob.bytes)).toBe(0);
}, 120_000);

test.concurrent("a download by a slow client is finished", async () => {
  using directory = temporaryDirectory();
  await using server = await startServer(["--data", directory.path]);
  const blob = testBlob(32 * 1024 ** 2);
  expect(await pushBlob(server, "app", blob)).toBe(201);
  using download = await connectRaw(server.port);
  download.send(
    `GET /v2/app/blobs/${blob.digest} HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\n\r\n`,
  );
  await download.receive("\r\n\r\n");
  download.socket.pause();
  server.signal("SIGINT");
  expect((await server.line("shutting down")).inFlight).toBe(1);
  download.socket.resume();
  const received = await download.closed();
  const body = Buffer.from(received.slice(received.indexOf("\r\n\r\n") + 4), "latin1");
  expect(Buffer.compare(body, blob.bytes)).toBe(0);
  expect(await server.ended).toBe(0);
}, 120_000);

test.concurrent("what is not done at the deadline is cut, and said", async () => {
  using directory = temporaryDirectory();
  await using server = await startServer([
    ...["--data", directory.path, "--set", "limits.shutdown=1s"],
  ]);
  using stalled = await connectRaw(server.port);
  const location = await startUpload(server, "app");
  stalled.send(
    `PATCH ${location} HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n`,
  );
  await stalled.receive("100 Continue");
  server.signal("SIGTERM");
  expect((await server.line("requests were cut off at the deadline")).requests).toBe(1);
  await stalled.closed();
  expect(await server.ended).toBe(0);
}, 120_000);

test.concurrent("a second signal does not wait", async () => {
  using directory = temporaryDirectory();
  await using server = await startServer(["--data", directory.path]);
  using stalled = await connectRaw(server.port);
  const location = await startUpload(server, "app");
  stalled.send(
    `PATCH ${location} HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n`,
  );
  await stalled.receive("100 Continue");
  server.signal("SIGTERM");
  await server.line("shutting down");
  server.signal("SIGTERM");
  // At the deadline of 30 s it would end with 0.
  expect(await server.ended).toBe(1);
}, 120_000);
