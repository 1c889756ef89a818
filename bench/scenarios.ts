/** What is measured. Each scenario prepares a server once and is then run in rounds. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { curlGet, curlPut, pushBlob, pushImage, sha256, writeAndSync, wrk } from "./load.ts";
import type { BenchServer } from "./server.ts";

export interface Measurement {
  /** More is better. */
  readonly value: number;
  readonly note?: string;
}

export interface Scenario {
  readonly name: string;
  readonly unit: string;
  /** The bar of the ratio to docker-registry 2.8. */
  readonly bar: number;
  prepare(server: BenchServer): Promise<void>;
  run(server: BenchServer, round: number): Promise<Measurement>;
  /** What the machine could do at best, measured in the same rounds. */
  readonly limit?: { readonly name: string; measure(): Promise<number> };
}

const mebibyte = 1024 * 1024;
const largeMebibytes = 256;
const repository = "bench/images";

/** Real size, content that no layer of the system can shorten. */
function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) {
    crypto.getRandomValues(bytes.subarray(at, Math.min(length, at + 65_536)));
  }
  return bytes;
}

export function scenarios(scratch: string): readonly Scenario[] {
  const large = randomBytes(largeMebibytes * mebibyte);
  const file = join(scratch, "blob");
  const counter = new DataView(large.buffer);
  let serial = 0;
  const layers = Array.from({ length: 200 }, () => randomBytes(mebibyte));

  return [
    {
      name: "PUT blob of 256 MiB",
      unit: "MiB/s",
      bar: 3,
      limit: {
        name: "this disk, with fsync",
        measure: async () => largeMebibytes / (await writeAndSync(join(scratch, "disk"), large)),
      },
      async prepare() {
        await mkdir(scratch, { recursive: true });
      },
      async run(server) {
        counter.setUint32(0, serial++);
        await Bun.write(file, large);
        await Bun.$`sync`;
        const seconds = await curlPut(server, repository, file, sha256(large));
        return { value: largeMebibytes / seconds };
      },
    },
    {
      name: "GET blob of 256 MiB",
      unit: "MiB/s",
      bar: 1,
      async prepare(server) {
        counter.setUint32(0, 0xffff_ffff);
        await pushBlob(server, repository, large);
      },
      async run(server) {
        counter.setUint32(0, 0xffff_ffff);
        const seconds = await curlGet(server, `/v2/${repository}/blobs/${sha256(large)}`);
        return { value: largeMebibytes / seconds };
      },
    },
    {
      name: "GET blobs of 1 MiB, 16 connections",
      unit: "requests/s",
      bar: 1.3,
      async prepare(server) {
        await pushBlob(server, repository, layers[0] ?? randomBytes(mebibyte));
      },
      async run(server) {
        const digest = sha256(layers[0] ?? new Uint8Array());
        const path = `/v2/${repository}/blobs/${digest}`;
        const result = await wrk(server, path, { connections: 16, seconds: 3 });
        return { value: result.requestsPerSecond };
      },
    },
    {
      name: "GET manifest by tag, 32 connections",
      unit: "requests/s",
      bar: 10,
      async prepare(server) {
        await pushImage(server, repository, "latest", layers[1] ?? randomBytes(mebibyte));
      },
      async run(server) {
        const path = `/v2/${repository}/manifests/latest`;
        const result = await wrk(server, path, { connections: 32, seconds: 3 });
        return {
          value: result.requestsPerSecond,
          note: `p99 ${result.p99Milliseconds.toFixed(1)} ms`,
        };
      },
    },
    {
      name: "push images of 1 MiB, 8 at once",
      unit: "images/s",
      bar: 2,
      async prepare() {},
      async run(server, round) {
        const queue = layers.map((layer, i) => {
          new DataView(layer.buffer).setFloat64(0, round * 1000 + i + Math.random());
          return { layer, tag: `round-${round}-${i}`, digest: sha256(layer) };
        });
        const count = queue.length;
        const begin = performance.now();
        await Promise.all(
          Array.from({ length: 8 }, async () => {
            for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
              await pushImage(server, `${repository}-push`, next.tag, next.layer, next.digest);
            }
          }),
        );
        return { value: count / ((performance.now() - begin) / 1000) };
      },
    },
  ];
}
