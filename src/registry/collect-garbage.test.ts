import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { metadataEngines, type TestDatabase } from "../../tests/support/metadata-stores.ts";
import {
  account,
  actor,
  bytesOf,
  chunksOf,
  manifestOf,
  pushBlob,
  pushImage,
  pushManifestBytes,
  registryContext,
} from "../../tests/support/registry-pushes.ts";
import { type SkippingClock, skippingClock } from "../../tests/support/skipping-clock.ts";
import type { BlobStore } from "../blobs/blob-store.ts";
import { memoryBlobStore } from "../blobs/memory.ts";
import { type Digest, digestOf } from "../image/digest.ts";
import { mediaTypes } from "../image/media-type.ts";
import type { MetadataStore } from "../metadata/metadata-store.ts";
import { appendUpload } from "./append-upload.ts";
import { collectGarbage, type GarbageItem, type GarbageReport } from "./collect-garbage.ts";
import type { RegistryContext } from "./context.ts";
import { deleteBlob } from "./delete-blob.ts";
import { deleteManifest } from "./delete-manifest.ts";
import { statBlob } from "./find-blob.ts";
import { uploadSize } from "./find-upload.ts";
import { finishUpload } from "./finish-upload.ts";
import { startGarbageCollection } from "./garbage-schedule.ts";
import { mountBlob } from "./mount-blob.ts";
import { pushManifest } from "./push-manifest.ts";
import { startUpload } from "./start-upload.ts";

const hour = 3600_000;
const grace = 24 * hour;
const repository = "app";

describe.each(metadataEngines)("$name", ({ available, createDatabase }) => {
  describe.skipIf(!available)("garbage collection", () => {
    let database: TestDatabase;
    let metadata: MetadataStore;
    let blobs: BlobStore;
    let clock: SkippingClock;
    let context: RegistryContext;

    beforeEach(async () => {
      database = await createDatabase();
      metadata = await database.open();
      blobs = memoryBlobStore();
      clock = skippingClock();
      context = registryContext({ metadata, blobs, clock });
    });
    afterEach(() => database[Symbol.asyncDispose]());

    async function collect(options: { dryRun?: boolean } = {}) {
      const items: GarbageItem[] = [];
      const report = await collectGarbage(context, {
        dryRun: options.dryRun ?? false,
        onItem: (item) => items.push(item),
      });
      return { report, items };
    }

    const isStored = async (digest: Digest) => (await blobs.stat(digest)) !== undefined;

    async function isLinked(digest: Digest, name = repository): Promise<boolean> {
      const rows = await metadata.read.all(
        `select 1 as one from repository_blobs l join repositories r on r.id = l.repository_id
         where l.digest = $1 and r.name = $2`,
        [digest, name],
      );
      return rows.length > 0;
    }

    async function count(table: "blobs" | "repository_blobs" | "uploads"): Promise<number> {
      const rows = await metadata.read.all(`select 1 as one from ${table}`);
      return rows.length;
    }

    test("removes what no image needs, and nothing younger than the grace period", async () => {
      const layer = bytesOf("layer");
      await pushImage(context, repository, "v1", layer);
      const old = await pushBlob(context, repository, bytesOf("old"));
      clock.advance(grace - hour);
      const young = await pushBlob(context, repository, bytesOf("young"));
      clock.advance(2 * hour);
      const { report, items } = await collect();
      expect(report).toMatchObject({ complete: true, links: 1, blobs: 1, blobsBytes: 3 });
      expect(items).toEqual([
        { kind: "link", account, repository, digest: old },
        { kind: "blob", digest: old, sizeBytes: 3 },
      ]);
      expect(await isStored(old)).toBe(false);
      expect(await isStored(young)).toBe(true);
      expect(await isStored(digestOf(layer))).toBe(true);
      expect((await collect()).items).toEqual([]);
    });

    test("keeps untagged manifests, referrers, and blobs that an index names", async () => {
      const image = bytesOf("untagged layer");
      await pushBlob(context, repository, image);
      const manifest = manifestOf(image);
      const subject = await pushManifestBytes(context, repository, manifest);
      const signature = bytesOf("signature");
      await pushBlob(context, repository, signature);
      await pushManifestBytes(
        context,
        repository,
        bytesOf(
          JSON.stringify({
            ...JSON.parse(new TextDecoder().decode(manifestOf(signature))),
            subject: { mediaType: mediaTypes.ociManifest, digest: subject, size: 1 },
          }),
        ),
      );
      const cached = await pushBlob(context, repository, bytesOf("build cache"));
      const index = bytesOf(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: mediaTypes.ociIndex,
          manifests: [
            { mediaType: mediaTypes.ociManifest, digest: subject, size: manifest.length },
            { mediaType: "application/vnd.oci.image.layer.v1.tar", digest: cached, size: 11 },
          ],
        }),
      );
      const input = { account, repository, actor, bytes: index, tags: [] };
      await pushManifest(context, { ...input, contentType: mediaTypes.ociIndex });
      clock.advance(100 * grace);
      expect((await collect()).items).toEqual([]);
      expect(await isStored(cached)).toBe(true);
    });

    test("collects a deleted image, but not the layers that it shared", async () => {
      const [shared, first, second] = ["shared", "first", "second"].map(bytesOf);
      if (!shared || !first || !second) throw new Error("three layers");
      const digest = await pushImage(context, repository, "v1", shared, first);
      await pushImage(context, repository, "v2", shared, second);
      await pushImage(context, "other", "v1", first);
      clock.advance(2 * grace);
      expect((await collect()).items).toEqual([]);
      await deleteManifest(context, { account, repository, actor, digest });
      const { report } = await collect();
      // `first` leaves the repository, and stays in the other one.
      expect(report).toMatchObject({ links: 1, blobs: 0 });
      expect(await isLinked(digestOf(first))).toBe(false);
      expect(await isLinked(digestOf(first), "other")).toBe(true);
      expect(await isStored(digestOf(first))).toBe(true);
    });

    test("a blob deleted from its last repository loses its bytes", async () => {
      const digest = await pushBlob(context, repository, bytesOf("blob"));
      await deleteBlob(context, { account, repository, actor, digest });
      expect((await collect()).report.blobs).toBe(0);
      clock.advance(2 * grace);
      expect((await collect()).report).toMatchObject({ links: 0, blobs: 1, blobsBytes: 4 });
      expect(await isStored(digest)).toBe(false);
      expect(await count("blobs")).toBe(0);
    });

    test("whoever is told that a blob is here keeps it for the grace period", async () => {
      const asked = await pushBlob(context, repository, bytesOf("asked"));
      const mounted = await pushBlob(context, repository, bytesOf("mounted"));
      const source = bytesOf("source of a manifest");
      await pushBlob(context, repository, source);
      clock.advance(2 * grace);
      await statBlob(context, { account, repository, digest: asked });
      const mount = {
        account,
        actor,
        digest: mounted,
        from: repository,
        mayPull: async () => true,
      };
      expect(await mountBlob(context, { ...mount, repository: "other" })).toBe(true);
      await pushManifestBytes(context, repository, manifestOf(source));
      clock.advance(grace - hour);
      expect((await collect()).items).toEqual([]);
      clock.advance(2 * hour);
      expect((await collect()).report).toMatchObject({ links: 3, blobs: 2 });
      expect(await isStored(digestOf(source))).toBe(true);
    });

    test("asking for a blob half way through its grace renews it", async () => {
      const digest = await pushBlob(context, repository, bytesOf("asked"));
      clock.advance(grace / 2 - hour);
      await statBlob(context, { account, repository, digest });
      clock.advance(grace / 2 + hour);
      // At least half the grace is left to whoever was told yes at any time.
      await statBlob(context, { account, repository, digest });
      clock.advance(grace - hour);
      expect((await collect()).items).toEqual([]);
    });

    test("a dry run lists what a real run takes, and takes nothing", async () => {
      for (let i = 0; i < 5; i++) await pushImage(context, repository, `v${i}`, bytesOf(`l${i}`));
      for (let i = 0; i < 7; i++) await pushBlob(context, repository, bytesOf(`garbage ${i}`));
      await pushBlob(context, "other", bytesOf("garbage 1"));
      await startUpload(context, { account, repository, actor });
      await (await blobs.stage("abandoned")).append(chunksOf(bytesOf("stage")));
      const orphan = await blobs.stage("orphan");
      await orphan.append(chunksOf(bytesOf("orphan")));
      await orphan.publish(digestOf(bytesOf("orphan")));
      await orphan.discard();
      clock.advance(2 * grace);
      const before = [
        await count("blobs"),
        await count("repository_blobs"),
        await count("uploads"),
      ];
      const dry = await collect({ dryRun: true });
      expect(dry.report).toMatchObject({
        dryRun: true,
        links: 8,
        blobs: 7,
        uploads: 1,
        orphans: 1,
        stages: 1,
      });
      expect([
        await count("blobs"),
        await count("repository_blobs"),
        await count("uploads"),
      ]).toEqual(before);
      const real = await collect();
      expect(real.items).toEqual(dry.items);
      const { links, blobs: removed, blobsBytes, orphans, uploads, stages } = dry.report;
      expect(real.report).toMatchObject({
        dryRun: false,
        links,
        blobs: removed,
        blobsBytes,
        orphans,
        uploads,
        stages,
      });
    });

    test("bytes that a dying push left without a row go after a grace of their own", async () => {
      const bytes = bytesOf("left by a push");
      const digest = digestOf(bytes);
      const stage = await blobs.stage("dying");
      await stage.append(chunksOf(bytes));
      await stage.publish(digest);
      await stage.discard();
      clock.advance(2 * grace);
      const first = await collect();
      expect(first.items).toEqual([{ kind: "orphan", digest, sizeBytes: 14 }]);
      expect(await isStored(digest)).toBe(true);
      clock.advance(grace - hour);
      expect((await collect()).items).toEqual([]);
      clock.advance(2 * hour);
      expect((await collect()).items).toEqual([{ kind: "blob", digest, sizeBytes: 14 }]);
      expect(await isStored(digest)).toBe(false);
    });

    test("a push of bytes that were registered as left over makes them a blob", async () => {
      const bytes = bytesOf("left by a push");
      const stage = await blobs.stage("dying");
      await stage.append(chunksOf(bytes));
      await stage.publish(digestOf(bytes));
      await collect();
      clock.advance(2 * grace);
      await pushImage(context, repository, "v1", bytes);
      await collect();
      expect(await isStored(digestOf(bytes))).toBe(true);
    });

    test("a row whose bytes a dying collection took is only a hint", async () => {
      const bytes = bytesOf("bytes");
      const digest = await pushBlob(context, repository, bytes);
      await deleteBlob(context, { account, repository, actor, digest });
      await (await blobs.withdraw(digest, "w1"))?.destroy();
      expect(await count("blobs")).toBe(1);
      await pushImage(context, repository, "v1", bytes);
      expect(await isStored(digest)).toBe(true);
    });

    test("uploads expire with their bytes, and stages without a session after them", async () => {
      const uploadId = await startUpload(context, { account, repository, actor });
      const upload = { account, repository, uploadId };
      await appendUpload(context, upload, { bytes: chunksOf(bytesOf("half a blob")) });
      await (await blobs.stage("stray")).append(chunksOf(bytesOf("stray")));
      clock.advance(23 * hour);
      expect((await collect()).items).toEqual([{ kind: "stage", uploadId: "stray" }]);
      expect(await uploadSize(context, upload)).toBe(11);
      clock.advance(23 * hour);
      expect((await collect()).items).toEqual([]);
      clock.advance(2 * hour);
      const { items } = await collect();
      expect(items).toHaveLength(2);
      expect(items).toContainEqual({ kind: "upload", uploadId });
      expect(items).toContainEqual({ kind: "upload", uploadId: "stray" });
      expect(await Array.fromAsync(blobs.stages())).toEqual([]);
      await expect(uploadSize(context, upload)).rejects.toThrow("upload_unknown");
    });

    test("an upload that takes longer than its expiry is alive as long as bytes arrive", async () => {
      const uploadId = await startUpload(context, { account, repository, actor });
      const upload = { account, repository, uploadId };
      async function* slow() {
        for (let i = 0; i < 10; i++) {
          clock.advance(12 * hour);
          await collect();
          yield bytesOf(`${i}`);
        }
      }
      await appendUpload(
        { ...context, uploadMutex: { runExclusively: (_, work) => work() } },
        upload,
        { bytes: slow() },
      );
      const digest = digestOf(bytesOf("0123456789"));
      await finishUpload(context, upload, digest);
      expect(await isStored(digest)).toBe(true);
    });

    test("settles by the committed rows what an interrupted collection withdrew", async () => {
      const needed = bytesOf("needed");
      await pushImage(context, repository, "v1", needed);
      const unneeded = await pushBlob(context, repository, bytesOf("unneeded"));
      await deleteBlob(context, { account, repository, actor, digest: unneeded });
      const damaged = digestOf(bytesOf("what it should be"));
      await pushBlob(context, repository, bytesOf("what it should be"));
      const stage = await blobs.stage("damage");
      await stage.append(chunksOf(bytesOf("what it is")));
      await stage.publish(damaged);
      await stage.discard();
      for (const digest of [digestOf(needed), unneeded, damaged]) await blobs.withdraw(digest, "w");
      await metadata.transaction((tx) => tx.all("delete from blobs where digest = $1", [damaged]));

      const dry = await collect({ dryRun: true });
      expect(dry.report.withdrawn).toBe(3);
      expect(await isStored(digestOf(needed))).toBe(false);
      expect((await collect()).report).toMatchObject({ withdrawn: 3, blobs: 0 });
      expect(await isStored(digestOf(needed))).toBe(true);
      expect(await isStored(unneeded)).toBe(false);
      expect(await isStored(damaged)).toBe(false);
      expect(await Array.fromAsync(blobs.withdrawn())).toEqual([]);
    });

    test("puts back what it took when its transaction fails", async () => {
      const digest = await pushBlob(context, repository, bytesOf("blob"));
      await deleteBlob(context, { account, repository, actor, digest });
      clock.advance(2 * grace);
      // The database loses our session behind our back, and somebody links the blob.
      let failed = false;
      const failing: RegistryContext = {
        ...context,
        metadata: {
          ...metadata,
          async transaction(work, options) {
            const result = await metadata
              .transaction(async (tx) => {
                const value = await work(tx);
                if (!failed && (await blobs.stat(digest)) === undefined) {
                  failed = true;
                  throw new Error("the session is gone");
                }
                return value;
              }, options)
              .catch(async (error: unknown) => {
                await metadata.transaction((tx) =>
                  tx.all(
                    `insert into repository_blobs (repository_id, digest, touched_at)
                     select id, $1, cast($2 as bigint) from repositories`,
                    [digest, clock.now()],
                  ),
                );
                throw error;
              });
            return result;
          },
        },
      };
      await expect(collectGarbage(failing, { dryRun: false })).rejects.toThrow("session");
      expect(failed).toBe(true);
      expect(await isStored(digest)).toBe(true);
    });

    test("goes through pages and batches, and stops between two of them when told to", async () => {
      const all = 1203;
      await metadata.transaction(async (tx) => {
        for (let i = 0; i < all; i++) {
          const digest = digestOf(bytesOf(`blob ${i}`));
          await tx.all("insert into blobs (digest, size, touched_at) values ($1, 1, 1)", [digest]);
          await tx.all(
            "insert into repository_blobs (repository_id, digest, touched_at) values ($1, $2, 1)",
            [i % 7, digest],
          );
        }
      });
      const stopping = new AbortController();
      const progress: GarbageReport[] = [];
      const stopped = await collectGarbage(context, {
        dryRun: false,
        signal: stopping.signal,
        onProgress(phase, report) {
          progress.push(report);
          if (phase === "links" && report.links >= 100) stopping.abort();
        },
      });
      expect(stopped).toMatchObject({ complete: false, links: 100, blobs: 0 });
      expect(progress.at(-1)?.links).toBe(100);
      const { report } = await collect();
      expect(report).toMatchObject({
        complete: true,
        links: all - 100,
        blobs: all,
        blobsBytes: all,
      });
      expect(await count("blobs")).toBe(0);
      expect(await count("repository_blobs")).toBe(0);
    });
  });
});

test("the schedule collects, goes on after a failure, and stops", async () => {
  const engine = metadataEngines.find(({ name }) => name === "sqlite in memory");
  if (engine === undefined) throw new Error("SQLite is always there");
  await using database = await engine.createDatabase();
  const clock = skippingClock();
  const context = registryContext({
    metadata: await database.open(),
    blobs: memoryBlobStore(),
    clock,
  });
  await pushBlob(context, repository, bytesOf("garbage"));
  const errors: unknown[] = [];
  const done = Promise.withResolvers<GarbageReport>();
  let turns = 0;
  const collection = startGarbageCollection({
    context: {
      ...context,
      get settings() {
        if (++turns === 2) throw new Error("the disk is in a bad mood");
        return context.settings;
      },
    },
    intervalMilliseconds: 13 * hour,
    logger: { info() {}, error: ({ error }) => errors.push(error) },
    clock,
    random: { next: () => 0.5 },
    onReport(report) {
      if (report.blobs > 0) done.resolve(report);
    },
  });
  expect(await done.promise).toMatchObject({ links: 1, blobs: 1, blobsBytes: 7 });
  expect(errors).toEqual([new Error("the disk is in a bad mood")]);
  await collection.stop();
});
