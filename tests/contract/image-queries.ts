/** What the queries on images and whole repositories promise. */
import { describe, expect, test } from "bun:test";
import * as documentQueries from "../../src/metadata/queries/documents.ts";
import * as imageQueries from "../../src/metadata/queries/images.ts";
import * as repositoryQueries from "../../src/metadata/queries/repositories.ts";
import { upsertTag } from "../../src/metadata/queries/tags.ts";
import { account, digest, type QuerySuite } from "./query-suite.ts";

export function imageQueriesContract(suite: QuerySuite): void {
  const q = suite.record({ ...documentQueries, ...imageQueries, ...repositoryQueries });
  const { transaction, repository, manifest } = suite;
  const mediaType = "application/vnd.oci.image.layer.v1.tar";

  /** `a` with two tags, `b` with none, an index of both. */
  async function fixture() {
    const { id, name } = await repository();
    const layer = (of: string, size: number) =>
      ({ role: "layer", digest: digest(of), mediaType, size, required: true }) as const;
    const child = (of: string) => ({ ...layer(of, 1), role: "manifest" as const });
    await manifest(id, "a", { references: [layer("l1", 2 ** 40), layer("l2", 5)] });
    await manifest(id, "b", { references: [layer("l1", 7)] });
    await manifest(id, "i", { references: [child("a"), child("b")] });
    for (const tag of ["v1", "V1"]) {
      const row = { name: tag, digest: digest("a"), clock: "1", origin: "us-east-1", now: 1 };
      await transaction((tx) => upsertTag(tx, id, row));
    }
    return { id, name, read: suite.store.read };
  }

  describe("images", () => {
    test("are listed by digest, tagged or not, page by page", async () => {
      const { id, read } = await fixture();
      const list = async (tagStatus: imageQueries.TagStatus, after = "", limit = 10) =>
        (await q.selectImages(read, id, { tagStatus, after, limit })).map((row) => row.digest);
      expect(await list("ANY")).toEqual([digest("a"), digest("b"), digest("i")]);
      expect(await list("ANY", digest("a"), 1)).toEqual([digest("b")]);
      expect(await list("TAGGED")).toEqual([digest("a")]);
      expect(await list("UNTAGGED")).toEqual([digest("b"), digest("i")]);
      const [row] = await q.selectImagesByDigest(read, id, [digest("a"), digest("none")]);
      expect(row).toMatchObject({ digest: digest("a"), size: 12, pulled_at: null });
    });

    test("have an entry for each tag", async () => {
      const { id, read } = await fixture();
      const page = { tagStatus: "ANY", after: { digest: "", tag: "" }, limit: 10 } as const;
      expect(await q.selectImageIds(read, id, page)).toEqual([
        { digest: digest("a"), tag: "V1" },
        { digest: digest("a"), tag: "v1" },
        { digest: digest("b"), tag: null },
        { digest: digest("i"), tag: null },
      ]);
      const after = { digest: digest("a"), tag: "V1" };
      expect(await q.selectImageIds(read, id, { ...page, after, limit: 1 })).toEqual([
        { digest: digest("a"), tag: "v1" },
      ]);
      const tags = await q.selectTagsOfDigests(read, id, [digest("a"), digest("b")]);
      expect([...tags]).toEqual([[digest("a"), ["V1", "v1"]]]);
    });

    test("have sizes, children and the index that names them", async () => {
      const { id, read } = await fixture();
      const bytes = await q.selectContentBytes(read, id, [digest("a"), digest("i")]);
      expect([...bytes]).toEqual([[digest("a"), 2 ** 40 + 5]]);
      const children = await q.selectChildren(read, id, [digest("i"), digest("a")]);
      expect(children.map((row) => row.digest).sort()).toEqual([digest("a"), digest("b")]);
      expect(await q.selectReferringIndex(read, id, digest("a"))).toBe(digest("i"));
      expect(await q.selectReferringIndex(read, id, digest("i"))).toBeUndefined();
    });

    test("remember their newest pull and their storage class", async () => {
      const { id, read } = await fixture();
      for (const now of [50, 40]) {
        await transaction((tx) => q.updatePulledAt(tx, id, digest("a"), now));
      }
      const archive = () =>
        transaction((tx) => q.updateStorageClass(tx, id, digest("a"), "ARCHIVE", 60));
      expect([await archive(), await archive()]).toEqual([true, false]);
      const page = { tagStatus: "ANY", storageClass: "ARCHIVE", after: "", limit: 9 } as const;
      expect(await q.selectImages(read, id, page)).toMatchObject([
        { digest: digest("a"), pulled_at: 50, archived_at: 60, activated_at: null },
      ]);
    });
  });

  test("a repository is listed, and deleted with everything under it", async () => {
    const { id, name, read } = await fixture();
    const listed = await q.selectRepositories(read, account, name.slice(0, -1), 1);
    expect(listed).toHaveLength(1);
    expect(await q.hasManifests(read, id)).toBe(true);
    await transaction((tx) => q.deleteRepositoryRows(tx, id));
    expect(await q.hasManifests(read, id)).toBe(false);
    expect(await q.selectRepository(read, account, name)).toBeUndefined();
  });

  test("what indexes refer to is found for a whole repository", async () => {
    const { id, read } = await fixture();
    expect(await q.selectIndexedDigests(read, id)).toEqual(new Set([digest("a"), digest("b")]));
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
