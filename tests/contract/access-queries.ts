/** What the queries on documents promise. */
import { describe, expect, test } from "bun:test";
import * as cursorQueries from "../../src/metadata/queries/document-cursors.ts";
import * as documentQueries from "../../src/metadata/queries/documents.ts";
import { account, namesInByteOrder, otherAccount, type QuerySuite } from "./query-suite.ts";

export function accessQueriesContract(suite: QuerySuite): void {
  const q = suite.record({ ...cursorQueries, ...documentQueries });
  const { transaction } = suite;

  describe("documents", () => {
    const document: documentQueries.DocumentRow = {
      ...{ account, kind: "policy", name: "a", owner: "user/anna", value: '{"v":1}' },
      ...{ clock: "000000000000001.000000", origin: "us-east-1", updated_at: 1_700_000_000_000 },
    };

    test("are written, replaced and deleted, and keep their version", async () => {
      const find = () => q.selectDocument(suite.store.read, account, "policy", "a");
      expect(await find()).toBeUndefined();
      await transaction((tx) => q.upsertDocument(tx, document));
      expect(await find()).toEqual(document);
      const deleted = { ...document, value: null, clock: "000000000000002.000000" };
      await transaction((tx) => q.upsertDocument(tx, deleted));
      expect(await find()).toEqual(deleted);
      const held = await transaction((tx) => q.selectDocumentForUpdate(tx, account, "policy", "a"));
      expect(held).toEqual(deleted);
      const other = q.selectDocument(suite.store.read, otherAccount, "policy", "a");
      expect(await other).toBeUndefined();
    });

    test("are listed by name in byte order, without the deleted ones", async () => {
      await transaction(async (tx) => {
        for (const [i, name] of [...namesInByteOrder].reverse().entries()) {
          const owner = i % 2 === 0 ? "even" : "odd";
          await q.upsertDocument(tx, { ...document, kind: "role", name, owner });
        }
        await q.upsertDocument(tx, { ...document, kind: "role", name: "aa", value: null });
      });
      const list = async (page: { after?: string; limit?: number; owner?: string }) => {
        const rows = await q.selectDocuments(suite.store.read, {
          ...{ account, kind: "role", after: "", limit: 100 },
          ...page,
        });
        return rows.map((row) => row.name);
      };
      const present = namesInByteOrder.filter((name) => name !== "aa");
      expect(await list({})).toEqual(present);
      expect(await list({ after: "a", limit: 2 })).toEqual(["a-b", "a.b"]);
      const even = await list({ owner: "even" });
      expect(even.length).toBeGreaterThan(5);
      expect(present.filter((name) => even.includes(name))).toEqual(even);
      expect([...even, ...(await list({ owner: "odd" }))].sort()).toEqual([...present].sort());
    });

    test("those of the installation are found by their number, their name and their kind", async () => {
      const number = (name: string, sequence: number) =>
        transaction(async (tx) => {
          const key = { account, kind: "group", name };
          await q.upsertDocument(tx, { ...document, ...key });
          await q.updateDocumentSequence(tx, key, sequence);
        });
      const before = await q.selectLastDocumentSequence(suite.store.read);
      await number("one", before + 1);
      await number("two", before + 2);
      await number("one", before + 3);
      expect(await q.selectLastDocumentSequence(suite.store.read)).toBe(before + 3);
      const behind = async (after: number, limit: number) =>
        (await q.selectDocumentsBehind(suite.store.read, after, limit)).map(
          ({ name, sequence }) => [name, sequence - before],
        );
      expect(await behind(before, 10)).toEqual([
        ["two", 2],
        ["one", 3],
      ]);
      expect(await behind(before, 1)).toEqual([["two", 2]]);
      expect(await behind(before + 3, 10)).toEqual([]);
      const other = { ...document, account: otherAccount, kind: "group", name: "one" };
      await transaction((tx) => q.upsertDocument(tx, other));
      const named = async () =>
        (await q.selectDocumentsNamed(suite.store.read, "group", "one")).map((row) => row.account);
      expect(await named()).toEqual([account, otherAccount].sort());
      const accounts = await q.selectAccountsWithDocument(suite.store.read, "group");
      expect(accounts.map((row) => row.account)).toEqual([account, otherAccount].sort());
      await transaction((tx) => q.upsertDocument(tx, { ...other, value: null }));
      expect(await named()).toEqual([account]);
      expect(await q.selectAccountsWithDocument(suite.store.read, "group")).toEqual([{ account }]);
    });

    test("how far another region's have come is kept for each region", async () => {
      const row = {
        region: "eu-west-1",
        database_id: "d",
        kinds: "a b",
        sequence: 7,
        updated_at: 9,
      };
      expect(await q.selectDocumentCursor(suite.store.read, row.region)).toBeUndefined();
      await transaction((tx) => q.upsertDocumentCursor(tx, row));
      const next = { ...row, database_id: "e", kinds: "a", sequence: 3, updated_at: 10 };
      await transaction((tx) => q.upsertDocumentCursor(tx, next));
      const held = (region: string) =>
        transaction((tx) => q.selectDocumentCursorForUpdate(tx, region));
      expect(await held(row.region)).toEqual(next);
      expect(await held("sa-east-1")).toBeUndefined();
    });
  });
}
