/** What the queries on images promise, on every engine. */
import { expect, test } from "bun:test";
import * as documentQueries from "../../src/metadata/queries/documents.ts";
import * as imageQueries from "../../src/metadata/queries/images.ts";
import * as repositoryQueries from "../../src/metadata/queries/repositories.ts";
import { upsertTag } from "../../src/metadata/queries/tags.ts";
import { account, digest, type QuerySuite } from "./query-suite.ts";

export function imageQueriesContract(suite: QuerySuite): void {
  const q = suite.record({ ...documentQueries, ...imageQueries, ...repositoryQueries });
  const { transaction, repository, manifest } = suite;

  test("images are paged with their tags and sizes, filtered by tags and storage class", async () => {
    const { id } = await repository();
    const reference = (name: string, role: "layer" | "manifest", size: number) => ({
      role,
      digest: digest(name),
      mediaType: "application/x",
      size,
      required: true,
    });
    await manifest(id, "i1", {
      references: [reference("l1", "layer", 7), reference("l2", "layer", 5)],
    });
    await manifest(id, "i2");
    await manifest(id, "i3", { references: [reference("i1", "manifest", 9)] });
    await transaction(async (tx) => {
      for (const [name, of] of [
        ["b", "i1"],
        ["a", "i1"],
        ["c", "i3"],
      ] as const) {
        await upsertTag(tx, id, { name, digest: digest(of), clock: "1", origin: "x", now: 1 });
      }
      expect(await q.updateStorageClass(tx, id, digest("i2"), "ARCHIVE", 5)).toBe(true);
      expect(await q.updateStorageClass(tx, id, digest("i2"), "ARCHIVE", 6)).toBe(false);
      await q.updatePulledAt(tx, id, digest("i1"), 9);
      await q.updatePulledAt(tx, id, digest("i1"), 8);
    });
    const db = suite.store.read;
    const order = ["i1", "i2", "i3"].map(digest).sort();
    const ids = async (page: Partial<Parameters<typeof q.selectImages>[2]> = {}) =>
      (await q.selectImages(db, id, { tagStatus: "ANY", after: "", limit: 10, ...page })).map(
        (row) => row.digest,
      );
    expect(await ids()).toEqual(order);
    expect(await ids({ limit: 1, after: order[0] ?? "" })).toEqual(order.slice(1, 2));
    expect(await ids({ tagStatus: "UNTAGGED" })).toEqual([digest("i2")]);
    expect(await ids({ storageClass: "STANDARD" })).toEqual(
      order.filter((each) => each !== digest("i2")),
    );
    const rows = await q.selectImagesByDigest(db, id, [digest("i1"), digest("i2"), digest("none")]);
    expect(rows.find((row) => row.digest === digest("i1"))).toMatchObject({
      pulled_at: 9,
      storage_class: "STANDARD",
      archived_at: null,
    });
    expect(rows.find((row) => row.digest === digest("i2"))).toMatchObject({
      pulled_at: null,
      storage_class: "ARCHIVE",
      archived_at: 5,
    });
    const list = (after: { digest: string; tag: string }, limit: number) =>
      q.selectImageIds(db, id, { tagStatus: "TAGGED", after, limit });
    const tagged = [
      { digest: digest("i1"), tag: "a" },
      { digest: digest("i1"), tag: "b" },
      { digest: digest("i3"), tag: "c" },
    ].sort((x, y) => (`${x.digest}${x.tag}` < `${y.digest}${y.tag}` ? -1 : 1));
    expect(await list({ digest: "", tag: "" }, 2)).toEqual(tagged.slice(0, 2));
    expect(await list(tagged[1] ?? { digest: "", tag: "" }, 2)).toEqual(tagged.slice(2));
    const digests = [digest("i1"), digest("i3")];
    expect((await q.selectTagsOfDigests(db, id, digests)).get(digest("i1"))).toEqual(["a", "b"]);
    expect(await q.selectContentBytes(db, id, digests)).toEqual(new Map([[digest("i1"), 12]]));
    expect(await q.selectChildren(db, id, digests)).toEqual([
      { manifest: digest("i3"), digest: digest("i1") },
    ]);
    expect(await q.selectReferringIndex(db, id, digest("i1"))).toBe(digest("i3"));
    expect(await q.selectIndexedDigests(db, id)).toEqual(new Set([digest("i1")]));

    const pages = await q.selectRepositories(db, account, "", 1000);
    expect(pages.map((row) => row.id)).toContain(id);
    expect(await q.hasManifests(db, id)).toBe(true);
    await transaction((tx) => q.deleteRepositoryRows(tx, id));
    expect(await q.hasManifests(db, id)).toBe(false);
    expect(await ids()).toEqual([]);
  });

  test("documents of a kind are found in all accounts", async () => {
    const document = (account: string, name: string) => ({
      account,
      kind: "everywhere",
      name,
      owner: "",
      value: "{}",
      clock: "1",
      origin: "x",
      updated_at: 1,
    });
    await transaction(async (tx) => {
      for (const row of [document("1", "b"), document("2", "a"), document("1", "a")]) {
        await q.upsertDocument(tx, row);
      }
    });
    const page = async (account: string, name: string) =>
      (
        await q.selectDocumentsOfKind(suite.store.read, "everywhere", { account, name, limit: 2 })
      ).map((row) => `${row.account} ${row.name}`);
    expect(await page("", "")).toEqual(["1 a", "1 b"]);
    expect(await page("1", "b")).toEqual(["2 a"]);
  });
}
