import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { blobStores } from "../../tests/support/blob-stores.ts";
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
import { collectGarbage } from "./collect-garbage.ts";
import type { RegistryContext } from "./context.ts";
import { deleteManifest } from "./delete-manifest.ts";
import { readBlob, statBlob } from "./find-blob.ts";
import { findManifest } from "./find-manifest.ts";
import { mountBlob } from "./mount-blob.ts";
import { pushManifest } from "./push-manifest.ts";
import { hasDamage, type ScrubFinding, type ScrubOptions, scrub } from "./scrub.ts";

const repository = "app";
const good = bytesOf("as it was pushed");
const digest = digestOf(good);
const address = { account, repository, digest };

/** Bytes under a digest that is not theirs, as a failing disk leaves them. */
async function damage(blobs: BlobStore, bytes = bytesOf("as it WAS pushed"), under = digest) {
  const stage = await blobs.stage("damage");
  await stage.append(chunksOf(bytes));
  await stage.publish(under);
  await stage.discard();
}

async function run(context: RegistryContext, options: ScrubOptions = {}) {
  const findings: ScrubFinding[] = [];
  const report = await scrub(context, { ...options, onFinding: (found) => findings.push(found) });
  return { report, findings };
}

describe.each(metadataEngines)("$name", ({ available, createDatabase }) => {
  describe.skipIf(!available)("scrub", () => {
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

    test("finds nothing wrong where nothing is", async () => {
      await pushImage(context, repository, "v1", good, bytesOf("other"));
      const { report, findings } = await run(context);
      expect(findings).toEqual([]);
      expect(hasDamage(report)).toBe(false);
      expect(report).toMatchObject({ complete: true, blobs: 2, blobsBytes: 21, manifests: 1 });
      expect(report.references).toBe(3);
    });

    test("puts a damaged blob away, names what is affected, and the next push heals it", async () => {
      const image = await pushImage(context, repository, "v1", good);
      await pushImage(context, "other", "v2", bytesOf("fine"), good);
      await damage(blobs);
      const { report, findings } = await run(context);
      expect(hasDamage(report)).toBe(true);
      expect(report).toMatchObject({ damagedBlobs: 1, missingBlobs: 0, incompleteImages: 2 });
      expect(findings[0]).toEqual({
        kind: "blob",
        digest,
        reason: "damaged",
        actual: digestOf(bytesOf("as it WAS pushed")),
        repositories: [`${account}/app`, `${account}/other`],
      });
      expect(findings[1]).toEqual({
        kind: "image",
        digest: image,
        repository: `${account}/app`,
        tags: ["v1"],
        missing: [digest, digest],
      });
      expect(findings).toHaveLength(3);
      await expect(statBlob(context, address)).rejects.toThrow("blob_unknown");
      await expect(readBlob(context, address)).rejects.toThrow("blob_unknown");
      const mount = { account, actor, digest, from: repository, mayPull: async () => true };
      expect(await mountBlob(context, { ...mount, repository: "third" })).toBe(false);
      await expect(
        pushManifestBytes(context, repository, manifestOf(good, bytesOf("fine"))),
      ).rejects.toThrow("manifest_references_unknown");

      // It stays known until it comes back, also to the collector.
      clock.advance(100 * 24 * 3600_000);
      expect((await collectGarbage(context, { dryRun: false })).links).toBe(0);
      const second = await run(context);
      expect(second.report).toMatchObject({
        damagedBlobs: 0,
        missingBlobs: 1,
        incompleteImages: 2,
      });

      await pushBlob(context, repository, good);
      expect(await (await readBlob(context, address)).text()).toBe("as it was pushed");
      expect(await statBlob(context, { ...address, repository: "other" })).toBe(good.byteLength);
      expect(hasDamage((await run(context)).report)).toBe(false);
    });

    test("withdraws the promise of a blob whose bytes are gone", async () => {
      await pushImage(context, repository, "v1", good);
      await (await blobs.withdraw(digest, "w1"))?.destroy();
      expect(await statBlob(context, address)).toBe(good.byteLength);
      const { report, findings } = await run(context);
      expect(report).toMatchObject({ damagedBlobs: 0, missingBlobs: 1, incompleteImages: 1 });
      expect(findings[0]).toMatchObject({ kind: "blob", reason: "missing", digest });
      await expect(statBlob(context, address)).rejects.toThrow("blob_unknown");
    });

    test("takes back bytes that somebody restored, when they are right", async () => {
      await pushImage(context, repository, "v1", good);
      await (await blobs.withdraw(digest, "w1"))?.destroy();
      await run(context);
      await damage(blobs);
      expect((await run(context)).report).toMatchObject({ recoveredBlobs: 0, missingBlobs: 1 });
      await damage(blobs, good);
      expect((await run(context)).report).toMatchObject({ recoveredBlobs: 1, missingBlobs: 0 });
      expect(await statBlob(context, address)).toBe(good.byteLength);
    });

    test("leaves a row that nobody relies on to the collector", async () => {
      await pushBlob(context, repository, good);
      await metadata.transaction((tx) => tx.all("delete from repository_blobs"));
      await (await blobs.withdraw(digest, "w1"))?.destroy();
      const { report, findings } = await run(context);
      expect(findings).toEqual([]);
      expect(hasDamage(report)).toBe(false);
    });

    test("corrects a size that is registered wrongly", async () => {
      await pushBlob(context, repository, good);
      await metadata.transaction((tx) => tx.all("update blobs set size = 5"));
      const { report } = await run(context);
      expect(report).toMatchObject({ repairedSizes: 1, damagedBlobs: 0 });
      expect(await statBlob(context, address)).toBe(good.byteLength);
    });

    test("does not put away a blob that was pushed again while it was read", async () => {
      await pushImage(context, repository, "v1", good);
      await damage(blobs);
      let reads = 0;
      const pushing: BlobStore = {
        ...blobs,
        async read(wanted) {
          const content = await blobs.read(wanted);
          // The second reading is the last before the blob is judged.
          if (++reads === 2) await pushBlob(context, repository, good);
          return content;
        },
      };
      const { report } = await run(registryContext({ metadata, blobs: pushing, clock }));
      expect(reads).toBe(3);
      expect(report).toMatchObject({ damagedBlobs: 0, missingBlobs: 0, incompleteImages: 0 });
      expect(await (await readBlob(context, address)).text()).toBe("as it was pushed");
    });

    test("puts back what it took when its transaction fails", async () => {
      await pushImage(context, repository, "v1", good);
      await damage(blobs);
      const failing: RegistryContext = {
        ...context,
        metadata: {
          ...metadata,
          transaction: (work, options) =>
            metadata.transaction(async (tx) => {
              const result = await work(tx);
              if ((await blobs.stat(digest)) === undefined) throw new Error("the session is gone");
              return result;
            }, options),
        },
      };
      // Settling fails too, as it goes through the same database.
      await expect(scrub(failing)).rejects.toThrow("session");
      expect((await collectGarbage(context, { dryRun: false })).withdrawn).toBe(1);
      expect((await run(context)).report.damagedBlobs).toBe(1);
    });

    test("counts a blob that reads wrong once and right the next time", async () => {
      await pushImage(context, repository, "v1", good);
      let reads = 0;
      const flaky: BlobStore = {
        ...blobs,
        read: async (wanted) => (++reads === 1 ? new Blob(["noise"]) : blobs.read(wanted)),
      };
      const { report, findings } = await run(registryContext({ metadata, blobs: flaky, clock }));
      expect(report).toMatchObject({ unstableBlobs: 1, damagedBlobs: 0 });
      expect(findings).toEqual([]);
    });

    test("puts away what the disk refuses to read, and passes other errors on", async () => {
      await pushImage(context, repository, "v1", good);
      const failing = (code: string): BlobStore => ({
        ...blobs,
        async read(wanted) {
          const content = await blobs.read(wanted);
          if (content === undefined) return undefined;
          return Object.assign(new Blob(), {
            stream: () =>
              new ReadableStream({
                pull(controller) {
                  controller.error(Object.assign(new Error("read failed"), { code }));
                },
              }),
          });
        },
      });
      const refused = registryContext({ metadata, blobs: failing("EMFILE"), clock });
      await expect(scrub(refused)).rejects.toThrow("read failed");
      expect(await statBlob(context, address)).toBe(good.byteLength);
      const broken = registryContext({ metadata, blobs: failing("EIO"), clock });
      const { report, findings } = await run(broken);
      expect(report).toMatchObject({ damagedBlobs: 1, incompleteImages: 1 });
      expect(findings[0]).toMatchObject({ kind: "blob", reason: "unreadable" });
    });

    test("puts a damaged manifest away, and the next push heals it", async () => {
      const bytes = manifestOf(good);
      const image = await pushImage(context, repository, "v1", good);
      await metadata.transaction((tx) =>
        tx.all("update manifests set bytes = $1", [bytesOf(`${new TextDecoder().decode(bytes)} `)]),
      );
      const { report, findings } = await run(context);
      expect(report).toMatchObject({ damagedManifests: 1, manifests: 1 });
      expect(hasDamage(report)).toBe(true);
      expect(findings).toEqual([
        {
          kind: "manifest",
          digest: image,
          actual: digestOf(bytesOf(`${new TextDecoder().decode(bytes)} `)),
          repository: `${account}/app`,
          tags: ["v1"],
        },
      ]);
      const find = (reference: { tag: string } | { digest: Digest }) =>
        findManifest(context, { account, repository }, reference);
      await expect(find({ tag: "v1" })).rejects.toThrow("manifest_unknown");
      await expect(find({ digest: image })).rejects.toThrow("manifest_unknown");
      // What it needs is kept until it comes back.
      clock.advance(100 * 24 * 3600_000);
      expect((await collectGarbage(context, { dryRun: false })).links).toBe(0);
      await pushManifestBytes(context, repository, bytes);
      expect((await find({ tag: "v1" })).bytes).toEqual(bytes);
      expect(hasDamage((await run(context)).report)).toBe(false);
    });

    test("an image in quarantine can be deleted", async () => {
      const image = await pushImage(context, repository, "v1", good);
      await metadata.transaction((tx) => tx.all("update manifests set bytes = $1", [good]));
      await run(context);
      await deleteManifest(context, { account, repository, actor, digest: image });
      clock.advance(100 * 24 * 3600_000);
      expect((await collectGarbage(context, { dryRun: false })).blobs).toBe(1);
      expect(await metadata.read.all("select digest from quarantined_manifests")).toEqual([]);
    });

    test("an index whose child somebody deleted is no damage", async () => {
      const child = await pushImage(context, repository, "v1", good);
      const bytes = bytesOf(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: mediaTypes.ociIndex,
          manifests: [
            {
              mediaType: mediaTypes.ociManifest,
              digest: child,
              size: manifestOf(good).byteLength,
            },
          ],
        }),
      );
      const contentType = mediaTypes.ociIndex;
      await pushManifest(context, { account, repository, actor, bytes, contentType, tags: [] });
      await deleteManifest(context, { account, repository, actor, digest: child });
      const { report } = await run(context);
      expect(report).toMatchObject({ indexesWithoutChildren: 1, incompleteImages: 0 });
      expect(hasDamage(report)).toBe(false);
    });

    test("stops when told to, and goes on behind a blob", async () => {
      for (let i = 0; i < 5; i++) await pushBlob(context, repository, bytesOf(`blob ${i}`));
      const stopping = new AbortController();
      let last: string | undefined;
      const { report } = await run(context, {
        signal: stopping.signal,
        onProgress(phase, { blobs: examined }, position) {
          expect(phase).toBe("blobs");
          last = position;
          if (examined === 2) stopping.abort();
        },
      });
      expect(report).toMatchObject({ complete: false, blobs: 2 });
      const rest = await run(context, { after: last as Digest });
      expect(rest.report).toMatchObject({ complete: true, blobs: 3 });
    });
  });
});

describe.each(blobStores)("%s", (_, openStore) => {
  test("reads no faster than it may", async () => {
    const engine = metadataEngines.find(({ name }) => name === "sqlite in memory");
    if (engine === undefined) throw new Error("SQLite is always there");
    await using database = await engine.createDatabase();
    const clock = skippingClock();
    const blobs = await openStore();
    const metadata = await database.open();
    const context = registryContext({ metadata, blobs, clock });
    const size = 3 * 1024 * 1024;
    for (let i = 0; i < 3; i++) await pushBlob(context, repository, new Uint8Array(size).fill(i));
    const before = clock.now();
    const { report } = await run(context, { bytesPerSecond: 1024 * 1024 });
    // The clock only moves when somebody sleeps.
    const seconds = (clock.now() - before) / 1000;
    expect(report.blobsBytes).toBe(3 * size);
    expect(seconds).toBeGreaterThan(7);
    expect(seconds).toBeLessThan(10);
    await blobs.close();
  });
});
