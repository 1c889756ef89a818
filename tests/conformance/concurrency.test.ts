/** Many clients at once: the same blob, the same manifest, the same session, the same tag. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { digestOf } from "../../src/image/digest.ts";
import { mediaTypes } from "../../src/image/media-type.ts";
import { expectConsistent } from "../support/consistency.ts";
import {
  beginUpload,
  bodyOf,
  bytesOf,
  expectError,
  imageOf,
  indexOf,
  json,
  pushBlob,
  pushImage,
  putManifest,
  withQuery,
} from "../support/content.ts";
import { metadataStores } from "../support/metadata-stores.ts";
import { type ServedRegistry, serveRegistry } from "../support/served-registry.ts";

// A busy machine takes its time; nothing here waits for a clock.
setDefaultTimeout(30_000);

const times = <T>(count: number, work: (i: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, i) => work(i)));

const registries: [name: string, available: boolean, open: () => Promise<ServedRegistry>][] = [
  ["on disk", true, () => serveRegistry({ storage: "disk" })],
  ...metadataStores.map(([engine, openMetadata, available]): (typeof registries)[number] => [
    `${engine}, blobs in memory`,
    available,
    () => serveRegistry({ openMetadata }),
  ]),
];

for (const [name, available, open] of registries)
  describe.skipIf(!available)(name, () => {
    let registry: ServedRegistry;
    beforeAll(async () => {
      registry = await open();
    });
    afterAll(async () => {
      await expectConsistent(registry);
      expect(registry.escaped).toEqual([]);
      await registry[Symbol.asyncDispose]();
    });

    async function upload(repository: string, bytes: Uint8Array, form: number): Promise<Response> {
      const digest = digestOf(bytes);
      if (form % 3 === 0) {
        return registry.fetch("POST", `/v2/${repository}/blobs/uploads/?digest=${digest}`, {
          body: bytes,
        });
      }
      const location = await beginUpload(registry, repository);
      if (form % 3 === 1) {
        return registry.fetch("PUT", withQuery(location, `digest=${digest}`), { body: bytes });
      }
      const half = bytes.length / 2;
      for (const part of [bytes.slice(0, half), bytes.slice(half)]) {
        expect((await registry.fetch("PATCH", location, { body: part })).status).toBe(202);
      }
      return registry.fetch("PUT", withQuery(location, `digest=${digest}`));
    }

    test("the same blob sixteen times, in every form", async () => {
      const bytes = bytesOf("same blob", 200_000);
      const responses = await times(16, (i) => upload("same-blob", bytes, i));
      expect(responses.map(({ status }) => status)).toEqual(Array(16).fill(201));
      const pulled = await registry.fetch("GET", `/v2/same-blob/blobs/${digestOf(bytes)}`);
      expect(Buffer.compare(await bodyOf(pulled), bytes)).toBe(0);
    });

    test("the same blob in sixteen repositories, each new", async () => {
      const bytes = bytesOf("many repositories", 50_000);
      const responses = await times(16, (i) => upload(`repository-${i}`, bytes, i));
      expect(responses.map(({ status }) => status)).toEqual(Array(16).fill(201));
      const found = await times(16, (i) =>
        registry.fetch("HEAD", `/v2/repository-${i}/blobs/${digestOf(bytes)}`),
      );
      expect(found.map(({ status }) => status)).toEqual(Array(16).fill(200));
    });

    test("a blob is there for everyone the moment that its 201 has come", async () => {
      await times(16, async (i) => {
        const bytes = bytesOf(`read after write ${i}`);
        expect((await upload("read-after-write", bytes, i)).status).toBe(201);
        const head = await registry.fetch("HEAD", `/v2/read-after-write/blobs/${digestOf(bytes)}`);
        expect(head.status).toBe(200);
        const layer = { mediaType: "a/b", digest: digestOf(bytes), size: bytes.length };
        const manifest = json(imageOf(layer, [layer]));
        const pushed = await putManifest(registry, "read-after-write", `t${i}`, manifest);
        expect(pushed.status).toBe(201);
      });
    });

    test("the same manifest sixteen times, by tag, by digest and under two tags", async () => {
      const image = await pushImage(registry, "same-manifest", `manifest ${name}`);
      const bytes = json(imageOf(image.blobs[0] as never, image.blobs.slice(1), { x: 1 }));
      const references = ["a", "b", digestOf(bytes), "a"];
      const responses = await times(16, (i) =>
        registry.fetch("PUT", `/v2/same-manifest/manifests/${references[i % 4]}`, {
          body: bytes,
          headers: { "Content-Type": mediaTypes.ociManifest },
        }),
      );
      expect(responses.map(({ status }) => status)).toEqual(Array(16).fill(201));
      const changes = await registry.context.metadata.read.all<{ tag: string | null }>(
        "select tag from changes where kind = 'image_pushed' and digest = $1",
        [digestOf(bytes)],
      );
      // The first push by digest may come before or behind the tags; the others change nothing.
      const tags = changes.map(({ tag }) => tag).filter((tag) => tag !== null);
      expect(tags.toSorted()).toEqual(["a", "b"]);
      expect(changes.length - tags.length).toBeLessThanOrEqual(1);
    });

    test("one tag, sixteen manifests: it ends on one of them, and all are there by digest", async () => {
      const manifests = Array.from({ length: 16 }, (_, i) => json(indexOf([], { i })));
      const put = (bytes: Uint8Array) =>
        registry.fetch("PUT", "/v2/one-tag/manifests/latest", {
          body: bytes,
          headers: { "Content-Type": mediaTypes.ociIndex },
        });
      const responses = await times(16, (i) => put(manifests[i] ?? new Uint8Array()));
      expect(responses.map(({ status }) => status)).toEqual(Array(16).fill(201));
      const latest = await registry.fetch("GET", "/v2/one-tag/manifests/latest");
      expect(manifests.map((bytes) => digestOf(bytes) as string)).toContain(
        latest.headers.get("docker-content-digest") ?? "",
      );
      for (const bytes of manifests) {
        const found = await registry.fetch("HEAD", `/v2/one-tag/manifests/${digestOf(bytes)}`);
        expect(found.status).toBe(200);
      }
    });

    test("the same chunk sixteen times at once: one is taken, fifteen are told where to go on", async () => {
      const location = await beginUpload(registry, "same-chunk");
      const bytes = bytesOf("chunk", 1000);
      const responses = await times(16, () =>
        registry.fetch("PATCH", location, { body: bytes, headers: { "Content-Range": "0-999" } }),
      );
      expect(responses.map(({ status }) => status).toSorted()).toEqual([
        202,
        ...Array(15).fill(416),
      ]);
      for (const response of responses) expect(response.headers.get("range")).toBe("0-999");
      const put = withQuery(location, `digest=${digestOf(bytes)}`);
      expect((await registry.fetch("PUT", put)).status).toBe(201);
    });

    test("streams into one session follow each other and never mix", async () => {
      const location = await beginUpload(registry, "streams");
      const parts = Array.from({ length: 8 }, (_, i) => new Uint8Array(50_000).fill(i + 1));
      await times(8, (i) => registry.fetch("PATCH", location, { body: parts[i] ?? null }));
      const stage = await registry.context.blobs.stage(location.split("/").at(-1) ?? "");
      const held = new Uint8Array(await (await stage.read()).arrayBuffer());
      expect(held).toHaveLength(8 * 50_000);
      const order = Array.from({ length: 8 }, (_, i) => held[i * 50_000] ?? 0);
      expect(order.toSorted()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
      for (const [i, value] of order.entries()) {
        const part = held.subarray(i * 50_000, (i + 1) * 50_000);
        expect(part.every((byte) => byte === value)).toBe(true);
      }
    });

    test("the end of a session sixteen times at once: one makes the blob", async () => {
      const location = await beginUpload(registry, "ends");
      const bytes = bytesOf("ends");
      await registry.fetch("PATCH", location, { body: bytes });
      const put = withQuery(location, `digest=${digestOf(bytes)}`);
      const statuses = (await times(16, () => registry.fetch("PUT", put))).map(
        ({ status }) => status,
      );
      expect(statuses.toSorted()).toEqual([201, ...Array(15).fill(404)]);
    });

    test("a cancellation and an end at once: either the blob is there or it is not", async () => {
      for (let i = 0; i < 8; i++) {
        const location = await beginUpload(registry, "cancel");
        const bytes = bytesOf(`cancel ${i}`);
        await registry.fetch("PATCH", location, { body: bytes });
        const put = withQuery(location, `digest=${digestOf(bytes)}`);
        const [cancelled, ended] = await Promise.all([
          registry.fetch("DELETE", location),
          registry.fetch("PUT", put),
        ]);
        expect([`${cancelled.status} ${ended.status}`]).toEqual(
          expect.arrayContaining([ended.status === 201 ? "404 201" : "204 404"]),
        );
        const found = await registry.fetch("HEAD", `/v2/cancel/blobs/${digestOf(bytes)}`);
        expect(found.status).toBe(ended.status === 201 ? 200 : 404);
      }
    });

    test("a blob deleted while manifests that name it are pushed: never half", async () => {
      for (let i = 0; i < 8; i++) {
        const layer = await pushBlob(registry, "race", bytesOf(`race ${i}`));
        const manifest = json(imageOf(layer, [layer], { i }));
        const [deleted, pushed] = await Promise.all([
          registry.fetch("DELETE", `/v2/race/blobs/${layer.digest}`),
          registry.fetch("PUT", `/v2/race/manifests/t${i}`, {
            body: manifest,
            headers: { "Content-Type": mediaTypes.ociManifest },
          }),
        ]);
        expect(["202 400", "405 201"]).toContain(`${deleted.status} ${pushed.status}`);
      }
    });

    test("mounts, pushes and deletes in two repositories end consistent", async () => {
      const bytes = bytesOf("mounted and deleted");
      const digest = digestOf(bytes);
      await pushBlob(registry, "source", bytes);
      await times(24, async (i) => {
        if (i % 3 === 0) return registry.fetch("DELETE", `/v2/source/blobs/${digest}`);
        if (i % 3 === 1) return upload("source", bytes, i);
        return registry.fetch("POST", `/v2/target/blobs/uploads/?mount=${digest}&from=source`);
      });
      const found = await registry.fetch("GET", `/v2/target/blobs/${digest}`);
      if (found.status === 200) expect(await bodyOf(found)).toEqual(bytes);
      else await expectError(found, 404, "BLOB_UNKNOWN");
    });
  });
