import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { systemClock, systemRandom } from "../../src/runtime/clock.ts";
import { resolveConfiguration } from "../../src/runtime/configuration.ts";
import { openLog } from "../../src/runtime/logger.ts";
import { type Region, startRegion } from "../../src/start-region.ts";
import { temporaryDirectory } from "../../tests/support/temporary-directory.ts";
import { buildDemoImage, demoImageBase } from "../demo-image/demo-image.ts";
import { content } from "./content.ts";
import { imageLayout } from "./image-layout.ts";
import { pullImage } from "./pull-image.ts";
import { pushImage } from "./push-image.ts";
import { type RegistryClientOptions, registryClient } from "./registry-client.ts";

const directory = temporaryDirectory();
const credentials = {
  accessKeyId: "AKIATESTTESTTESTTEST",
  secretAccessKey: "not/a/secret".repeat(3),
};
const documents = [{ path: "log.md", bytes: new TextEncoder().encode("calm sea ".repeat(9000)) }];
const base = demoImageBase(documents, undefined);
const image = buildDemoImage({ version: "1.0.0", clock: systemClock, base });

let region: Region;
beforeAll(async () => {
  const { configuration } = resolveConfiguration({
    workingDirectory: directory.path,
    flags: { listen: "127.0.0.1:0", data: "data" },
    assignments: ["log.requests=none"],
    environment: {
      PORTOLAN_ROOT_ACCESS_KEY_ID: credentials.accessKeyId,
      PORTOLAN_ROOT_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
  });
  region = await startRegion({
    configuration,
    clock: systemClock,
    random: systemRandom,
    monotonicNow: () => performance.now(),
    log: openLog({ level: "error", descriptor: 2, now: systemClock.now }),
  });
});
afterAll(async () => {
  await region.stop();
  directory.remove();
});

const client = (options: Partial<RegistryClientOptions> = {}) =>
  registryClient({
    endpoint: region.endpoint,
    username: credentials.accessKeyId,
    password: credentials.secretAccessKey,
    ...options,
  });

/** A server between client and region that changes what passes. */
async function through<T>(
  change: (response: Response, request: Request) => Promise<Response>,
  use: (endpoint: string) => Promise<T>,
): Promise<T> {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const url = new URL(request.url);
      const target = `${region.endpoint}${url.pathname}${url.search}`;
      const response = await fetch(target, {
        method: request.method,
        headers: request.headers,
        body: request.body,
      });
      return change(response, request);
    },
  });
  try {
    return await use(`http://127.0.0.1:${server.port}`);
  } finally {
    await server.stop(true);
  }
}

describe("registry client", () => {
  test("pulls what it pushed, in chunks, and sends nothing twice", async () => {
    let sent = 0;
    const pushed = await pushImage(
      client({ chunkBytes: 100 }),
      "ports/lisbon",
      "1.0.0",
      image,
      (n) => {
        sent += n;
      },
    );
    expect(pushed.blobsUploaded).toBe(image.blobs.length);
    expect(sent).toBe(image.blobs.reduce((sum, { size }) => sum + size, 0));

    const next = buildDemoImage({ version: "1.0.1", clock: systemClock, base });
    const again = await pushImage(client(), "ports/lisbon", "1.0.1", next);
    expect(again.blobsPresent).toBe(2);

    let received = 0;
    const layout = imageLayout(join(directory.path, "lisbon"));
    const pulled = await pullImage(client(), "ports/lisbon", "1.0.0", layout, (n) => {
      received += n;
    });
    expect(pulled.root.digest).toBe(image.root.digest);
    expect(pulled).toMatchObject({ manifests: 3, blobs: image.blobs.length });
    expect(received).toBe(pulled.bytes);
    for (const blob of image.blobs) {
      expect(await Bun.file(layout.blobPath(blob.digest)).bytes()).toEqual(blob.bytes);
    }
  });

  test("says what is not there, and who may not ask", async () => {
    const absent = content("text/plain", new TextEncoder().encode("never pushed"));
    expect(await client().headBlob("ports/lisbon", absent.digest)).toBeUndefined();
    expect(await client().headManifest("ports/lisbon", "absent")).toBeUndefined();
    const stranger = client({ password: "wrong" });
    await expect(stranger.headManifest("ports/lisbon", "1.0.0")).rejects.toMatchObject({
      name: "RegistryAnswerError",
      status: 401,
    });
  });

  test("refuses content that was changed on its way", async () => {
    await pushImage(client(), "ports/genoa", "1.0.0", image);
    const flipLastByte = async (response: Response) => {
      const bytes = await response.bytes();
      const last = bytes.length - 1;
      if (last >= 0) bytes[last] = (bytes[last] ?? 0) ^ 1;
      return new Response(bytes, response);
    };
    for (const [name, damaged] of [
      ["blobs", /\/blobs\//],
      ["manifests", /\/manifests\//],
    ] as const) {
      const layout = imageLayout(join(directory.path, `damaged-${name}`));
      const pull = through(
        async (response, { method, url }) =>
          method === "GET" && damaged.test(url) ? flipLastByte(response) : response,
        (endpoint) => pullImage(client({ endpoint }), "ports/genoa", "1.0.0", layout),
      );
      await expect(pull).rejects.toThrow(expect.objectContaining({ name: "DigestMismatchError" }));
    }
  });

  test("gives its password to no other host", async () => {
    const seen: string[] = [];
    const stranger = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch(request) {
        seen.push(request.headers.get("authorization") ?? "");
        return new Response(null, { status: 202 });
      },
    });
    const push = through(
      async (response, { method }) =>
        method === "POST"
          ? new Response(null, {
              status: 202,
              headers: { location: `http://127.0.0.1:${stranger.port}/v2/upload` },
            })
          : response,
      (endpoint) => pushImage(client({ endpoint }), "ports/malta", "1.0.0", image),
    );
    await expect(push).rejects.toThrow("another host");
    await stranger.stop(true);
    expect(seen).toEqual([]);
  });
});
