/** What the registry's queries promise. */
import { describe, expect, test } from "bun:test";
import type { Transaction } from "../../src/metadata/metadata-store.ts";
import * as blobQueries from "../../src/metadata/queries/blobs.ts";
import * as changeQueries from "../../src/metadata/queries/changes.ts";
import * as counterQueries from "../../src/metadata/queries/counters.ts";
import * as holdQueries from "../../src/metadata/queries/hold.ts";
import * as manifestQueries from "../../src/metadata/queries/manifests.ts";
import * as repositoryQueries from "../../src/metadata/queries/repositories.ts";
import * as settingQueries from "../../src/metadata/queries/settings.ts";
import * as tagQueries from "../../src/metadata/queries/tags.ts";
import * as uploadQueries from "../../src/metadata/queries/uploads.ts";
import { change } from "./metadata-store.ts";
import { account, digest, namesInByteOrder, otherAccount, type QuerySuite } from "./query-suite.ts";

export function registryQueriesContract(suite: QuerySuite): void {
  const q = suite.record({
    ...blobQueries,
    ...changeQueries,
    ...counterQueries,
    ...holdQueries,
    ...manifestQueries,
    ...repositoryQueries,
    ...settingQueries,
    ...tagQueries,
    ...uploadQueries,
  });
  const { transaction, repository, manifest } = suite;

  describe("repositories", () => {
    test("are inserted once and found by account and name", async () => {
      const created = await transaction((tx) => q.insertRepository(tx, account, "once", 5));
      expect(created).toEqual({ id: created?.id ?? -1, account, name: "once", created_at: 5 });
      const insertAgain = () => transaction((tx) => q.insertRepository(tx, account, "once", 6));
      expect(await insertAgain()).toBeUndefined();
      expect(await q.selectRepository(suite.store.read, account, "once")).toEqual(created);
      expect(await q.selectRepository(suite.store.read, otherAccount, "once")).toBeUndefined();
      expect(await q.selectRepository(suite.store.read, account, "ONCE")).toBeUndefined();
      const other = await transaction((tx) => q.insertRepository(tx, otherAccount, "once", 5));
      expect(other?.id).not.toBe(created?.id);
    });

    test("are inserted once by many at the same time", async () => {
      const insert = () => transaction((tx) => q.insertRepository(tx, account, "raced", 5));
      const rows = await Promise.all(Array.from({ length: 8 }, insert));
      expect(rows.filter((row) => row !== undefined)).toHaveLength(1);
    });

    test("are held one transaction at a time, and so are names without a row", async () => {
      const { id } = await repository();
      const absent = id + 1_000_000;
      expect(await transaction((tx) => q.holdRepository(tx, absent))).toBe(false);
      for (const hold of [
        (tx: Transaction) => q.holdRepository(tx, id),
        (tx: Transaction) => q.holdName(tx, "a name"),
      ]) {
        let inside = 0;
        const work = async (tx: Transaction) => {
          await hold(tx);
          inside += 1;
          // Another round trip, in which a second one would get in.
          await q.selectRepository(tx, account, "none");
          const alone = inside === 1;
          inside -= 1;
          return alone;
        };
        const alone = await Promise.all(Array.from({ length: 12 }, () => transaction(work)));
        expect(alone).toEqual(Array(12).fill(true));
      }
    });

    test("are listed in byte order, page by page", async () => {
      const lister = "444455556666";
      const names = [...namesInByteOrder].reverse();
      await transaction(async (tx) => {
        for (const name of names) await q.insertRepository(tx, lister, name, 1);
      });
      const list = (after: string, limit: number) =>
        q.selectRepositoryNames(suite.store.read, lister, after, limit);
      expect(await list("", 100)).toEqual(namesInByteOrder);
      expect(await list("", 3)).toEqual(namesInByteOrder.slice(0, 3));
      expect(await list("a", 4)).toEqual(["a-b", "a.b", "a0", "aB"]);
      expect(await list("a_", 2)).toEqual(["a_b", "aa"]);
      expect(await list("zzz", 10)).toEqual([]);
    });
  });

  describe("blobs and their links", () => {
    test("a blob is registered and renewed", async () => {
      const size = 2 ** 40;
      expect(await transaction((tx) => q.touchBlob(tx, digest("b1"), 1))).toBeUndefined();
      await transaction((tx) => q.upsertBlob(tx, digest("b1"), size, 2));
      expect(await transaction((tx) => q.touchBlob(tx, digest("b1"), 3))).toEqual({ size });
      await transaction((tx) => q.upsertBlob(tx, digest("b1"), size, 9));
    });

    test("a linked blob is seen by its repository alone", async () => {
      const [one, two] = [await repository(), await repository()];
      await transaction(async (tx) => {
        await q.upsertBlob(tx, digest("b2"), 10, 1);
        await q.linkBlob(tx, one.id, digest("b2"), 1);
        await q.linkBlob(tx, one.id, digest("b2"), 2);
      });
      const find = (name: string) =>
        q.selectLinkedBlob(suite.store.read, account, name, digest("b2"));
      expect(await find(one.name)).toEqual({ repository_id: one.id, size: 10, touched_at: 2 });
      expect(await find(two.name)).toBeUndefined();
      await transaction((tx) => q.linkBlob(tx, two.id, digest("b2"), 3));
      const holders = (limit: number) =>
        q.selectRepositoriesWithBlob(suite.store.read, account, digest("b2"), limit);
      expect(await holders(5)).toEqual([one.name, two.name]);
      expect(await holders(1)).toEqual([one.name]);
      const unlink = () => transaction((tx) => q.deleteBlobLink(tx, one.id, digest("b2")));
      expect([await unlink(), await unlink()]).toEqual([true, false]);
      expect(await find(one.name)).toBeUndefined();
      expect(await holders(5)).toEqual([two.name]);
    });

    test("thousands of links are renewed in one call", async () => {
      const { id, name } = await repository();
      const digests = Array.from({ length: 2600 }, (_, i) => digest(i));
      const linked = digests.filter((_, i) => i % 2 === 0);
      await transaction(async (tx) => {
        for (const item of linked) {
          await q.upsertBlob(tx, item, 1, 1);
          await q.linkBlob(tx, id, item, 1);
        }
      });
      const shuffled = [...digests].sort((a, b) => (a.slice(-2) < b.slice(-2) ? 1 : -1));
      const found = await transaction((tx) => q.touchBlobLinks(tx, id, shuffled, 77));
      expect([...found].sort()).toEqual([...linked].sort());
      const row = await q.selectLinkedBlob(suite.store.read, account, name, digest(0));
      expect(row?.touched_at).toBe(77);
      expect((await transaction((tx) => q.touchBlobLinks(tx, id, [], 78))).size).toBe(0);
    });

    test("lists are cut into sorted parts", () => {
      expect(q.placeholders(3, 2)).toBe("$2, $3, $4");
      const parts = [...q.parts(Array.from({ length: 1001 }, (_, i) => digest(1001 - i)))];
      expect(parts.map((part) => part.length)).toEqual([500, 500, 1]);
      expect(parts.flat()).toEqual([...parts.flat()].sort());
    });
  });

  describe("manifests", () => {
    const references: manifestQueries.NewManifest["references"] = Array.from(
      { length: 250 },
      (_, i) => ({
        role: i === 0 ? "config" : "layer",
        digest: digest(`l${i}`),
        mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
        size: i * 2 ** 32,
        required: i % 2 === 0,
      }),
    );

    test("are inserted once, with their references in order", async () => {
      const { id, name } = await repository();
      const item = await manifest(id, "m1", { references });
      const fresh = { ...item, digest: digest("m1 again") };
      expect(await transaction((tx) => q.insertManifest(tx, fresh))).toBe(true);
      expect(await transaction((tx) => q.insertManifest(tx, fresh))).toBe(false);
      const row = await q.selectManifestByDigest(suite.store.read, account, name, item.digest);
      expect(row?.media_type).toBe(item.mediaType);
      expect(Buffer.from(row?.bytes ?? []).toString()).toBe('{"name":"m1"}');
      const found = await q.selectReferences(suite.store.read, id, item.digest);
      expect(found).toEqual(
        references.map(({ mediaType, required, ...reference }) => ({
          ...reference,
          media_type: mediaType,
          required: required ? 1 : 0,
        })),
      );
      const referring = (layer: string) =>
        q.selectReferringManifest(suite.store.read, id, digest(layer));
      expect([item.digest, fresh.digest]).toContain((await referring("l249")) ?? "");
      expect(await referring("l250")).toBeUndefined();
    });

    test("are found by digest among thousands, and deleted with their references", async () => {
      const { id, name } = await repository();
      const item = await manifest(id, "m2", { references: references.slice(0, 3) });
      const digests = [...Array.from({ length: 1100 }, (_, i) => digest(i)), item.digest];
      const find = () => transaction((tx) => q.selectManifestDigests(tx, id, digests));
      expect(await find()).toEqual(new Set([item.digest]));
      const remove = () => transaction((tx) => q.deleteManifestRows(tx, id, item.digest));
      expect([await remove(), await remove()]).toEqual([true, false]);
      expect(await find()).toEqual(new Set());
      expect(await q.selectReferences(suite.store.read, id, item.digest)).toEqual([]);
      const gone = await q.selectManifestByDigest(suite.store.read, account, name, item.digest);
      expect(gone).toBeUndefined();
    });

    test("refer to a subject, filtered and page by page", async () => {
      const { id, name } = await repository();
      const subject = digest("s") as manifestQueries.NewManifest["subject"] & string;
      const annotations = { "org.example": 'quoted "text" \u0000' };
      for (const i of [3, 1, 2]) {
        const artifactType = i === 2 ? "application/x.signature" : "application/x.sbom";
        await manifest(id, `r${i}`, { subject, artifactType, annotations });
      }
      await manifest(id, "r4");
      const list = (options: { artifactTypes?: string[]; after?: string; limit?: number }) =>
        q.selectReferrers(suite.store.read, account, name, subject, {
          artifactTypes: options.artifactTypes,
          after: options.after ?? "",
          limit: options.limit ?? 10,
        });
      const [first, ...rest] = await list({});
      expect(first).toEqual({
        digest: digest("r1"),
        media_type: "application/vnd.oci.image.manifest.v1+json",
        size: 13,
        artifact_type: "application/x.sbom",
        annotations: JSON.stringify(annotations),
        storage_class: "STANDARD",
      });
      expect(rest.map((row) => row.digest)).toEqual([digest("r2"), digest("r3")]);
      const filtered = await list({ artifactTypes: ["application/x.signature"] });
      expect(filtered.map((row) => row.digest)).toEqual([digest("r2")]);
      const second = await list({ after: digest("r1"), limit: 1 });
      expect(second.map((row) => row.digest)).toEqual([digest("r2")]);
      expect(await list({ artifactTypes: ["application/x.none"] })).toEqual([]);
    });
  });

  describe("tags", () => {
    const tag = { digest: digest("t1"), clock: "000000000000001.000000", origin: "us-east-1" };

    test("point at a manifest and are moved", async () => {
      const { id, name } = await repository();
      for (const target of ["t1", "t2"]) await manifest(id, target);
      await transaction((tx) => q.upsertTag(tx, id, { ...tag, name: "latest", now: 1 }));
      const pull = () => q.selectManifestByTag(suite.store.read, account, name, "latest");
      expect((await pull())?.digest).toBe(digest("t1"));
      const moved = { name: "latest", digest: digest("t2"), clock: "2", origin: "eu-west-1" };
      await transaction((tx) => q.upsertTag(tx, id, { ...moved, now: 2 }));
      expect((await pull())?.digest).toBe(digest("t2"));
      const held = await transaction((tx) => q.selectTagForUpdate(tx, id, "latest"));
      expect(held).toEqual({ ...moved, updated_at: 2 });
      const tags = await transaction((tx) => q.selectTagsOfManifest(tx, id, digest("t2")));
      expect(tags.map((row) => row.name)).toEqual(["latest"]);
      await transaction((tx) => q.deleteTagRow(tx, id, "latest"));
      expect(await pull()).toBeUndefined();
      expect(await transaction((tx) => q.selectTagForUpdate(tx, id, "latest"))).toBeUndefined();
    });

    test("are listed in byte order, page by page", async () => {
      const { id } = await repository();
      await transaction(async (tx) => {
        for (const name of [...namesInByteOrder].reverse()) {
          await q.upsertTag(tx, id, { ...tag, name, now: 1 });
        }
      });
      const list = (after: string, limit: number) =>
        q.selectTagNames(suite.store.read, id, after, limit);
      expect(await list("", 100)).toEqual(namesInByteOrder);
      expect(await list("v1.0", 2)).toEqual(["v1.0-rc1", "v1.10"]);
      expect(await list("B", 1)).toEqual(["Z"]);
      const same = await transaction((tx) => q.selectTagsOfManifest(tx, id, tag.digest));
      expect(same.map((row) => row.name)).toEqual(namesInByteOrder);
    });

    test("leave tombstones that are replaced and removed", async () => {
      const { id } = await repository();
      const find = () => transaction((tx) => q.selectTombstone(tx, id, "old"));
      expect(await find()).toBeUndefined();
      const bury = (clock: string) =>
        transaction((tx) => q.upsertTombstone(tx, id, { ...tag, clock, name: "old", now: 1 }));
      await bury("1");
      await bury("2");
      expect(await find()).toEqual({ ...tag, clock: "2" });
      await transaction((tx) => q.deleteTombstone(tx, id, "old"));
      expect(await find()).toBeUndefined();
    });
  });

  describe("uploads", () => {
    test("are counted, found in their repository, renewed, expired and deleted", async () => {
      const [one, two] = [await repository(), await repository()];
      const upload = (id: string, now: number) => ({
        ...{ id, repositoryId: one.id, digestAlgorithm: "sha256", now },
      });
      const before = await q.countAllUploads(suite.store.read);
      await transaction(async (tx) => {
        for (const i of [1, 2, 3]) await q.insertUpload(tx, upload(`u${i}`, i));
      });
      expect(await q.countAllUploads(suite.store.read)).toBe(before + 3);
      expect(await q.countUploads(suite.store.read, one.id)).toBe(3);
      expect(await q.countUploads(suite.store.read, two.id)).toBe(0);
      expect(await q.countAllUploads(suite.store.read)).toBe(3);
      const find = (name: string) => q.selectUpload(suite.store.read, account, name, "u1");
      const row = { id: "u1", repository_id: one.id, digest_algorithm: "sha256", touched_at: 1 };
      expect(await find(one.name)).toEqual(row);
      expect(await find(two.name)).toBeUndefined();
      const touch = (id: string) => transaction((tx) => q.touchUpload(tx, id, 1_700_000_000_000));
      expect([await touch("u1"), await touch("none")]).toEqual([true, false]);
      const expired = (limit: number) => q.selectExpiredUploads(suite.store.read, 10, limit);
      expect(await expired(10)).toEqual(["u2", "u3"]);
      expect(await expired(1)).toEqual(["u2"]);
      const remove = () => transaction((tx) => q.deleteUpload(tx, "u2"));
      expect([await remove(), await remove()]).toEqual([true, false]);
      const expire = (id: string, touchedBefore: number) =>
        transaction((tx) => q.deleteExpiredUpload(tx, id, touchedBefore));
      expect(await expire("u3", 3)).toBe(false);
      expect([await expire("u3", 4), await expire("u3", 4)]).toEqual([true, false]);
    });
  });

  test("settings are set, replaced and separate for each account", async () => {
    await transaction((tx) => q.upsertSetting(tx, account, "s", '{"a":1}', 1));
    await transaction((tx) => q.upsertSetting(tx, account, "s", '{"a":2}', 2));
    expect(await q.selectSetting(suite.store.read, account, "s")).toBe('{"a":2}');
    expect(await q.selectSetting(suite.store.read, otherAccount, "s")).toBeUndefined();
  });

  test("changes are numbered and read back whole", async () => {
    const full = { ...change, digest: digest(1), tag: "v1", clock: "1", detail: '{"a":"ü"}' };
    const first = await transaction((tx) => q.insertChange(tx, change));
    const second = await transaction((tx) => q.insertChange(tx, full));
    expect(second).toBe(first + 1);
    const rows = await q.selectChanges(suite.store.read, first - 1, 10);
    expect(rows).toEqual([
      { ...change, sequence: first },
      { ...full, sequence: second },
    ]);
    expect(await q.selectChanges(suite.store.read, second, 10)).toEqual([]);
    const next = await transaction((tx) => q.nextCounterValue(tx, "changes"));
    expect(next).toBe(second + 1);
  });
}
