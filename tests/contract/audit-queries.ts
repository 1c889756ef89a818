/** What the queries on the audit and on the journal's documents promise. */
import { describe, expect, test } from "bun:test";
import * as auditQueries from "../../src/metadata/queries/audit.ts";
import * as changeQueries from "../../src/metadata/queries/changes.ts";
import { account, type QuerySuite } from "./query-suite.ts";

export function auditQueriesContract(suite: QuerySuite): void {
  const q = suite.record({ ...auditQueries, ...changeQueries });
  const { transaction } = suite;
  const jo = `arn:aws:iam::${account}:user/jo_1`;
  const kim = `arn:aws:iam::${account}:user/kim`;

  function block(
    lastAt: number,
    id: string,
    more: Partial<auditQueries.AuditBlockRow> = {},
  ): auditQueries.AuditBlockRow {
    return {
      ...{ last_at: lastAt, id, first_at: lastAt - 10, calls: 2, denied: 0 },
      ...{ principals: `\n${jo}\n`, encoding: "json", lines: Uint8Array.of(91, 0, 255, 93) },
      ...more,
    };
  }

  describe("audit blocks", () => {
    const blocks = [
      block(100, "b"),
      block(100, "a", { denied: 1 }),
      block(200, "a", { principals: `\n${kim}\n${jo}\n` }),
      block(300, "a", { principals: `\n${kim}\n`, denied: 2, first_at: 150 }),
    ];
    const page = (more: Partial<auditQueries.AuditBlockPage> = {}) =>
      q.selectAuditBlocks(suite.store.read, {
        ...{ after: { lastAt: 0, id: "" }, denied: false, limit: 10 },
        ...more,
      });
    const keys = async (more: Partial<auditQueries.AuditBlockPage> = {}) =>
      (await page(more)).map((row) => `${row.last_at}${row.id}`);

    test("come back as they were, in order, page by page, filtered", async () => {
      await transaction(async (tx) => {
        for (const row of blocks) await q.insertAuditBlock(tx, row);
      });
      const lines = Uint8Array.of(91, 0, 255, 93);
      const [first] = await page();
      expect(Buffer.from(first?.lines ?? []).equals(lines)).toBe(true);
      expect({ ...first, lines }).toEqual({ ...block(100, "a", { denied: 1 }), lines });
      expect(await keys()).toEqual(["100a", "100b", "200a", "300a"]);
      expect(await keys({ limit: 2 })).toEqual(["100a", "100b"]);
      expect(await keys({ after: { lastAt: 100, id: "a" } })).toEqual(["100b", "200a", "300a"]);
      expect(await keys({ after: { lastAt: 101, id: "" } })).toEqual(["200a", "300a"]);
      expect(await keys({ until: 150 })).toEqual(["100a", "100b", "300a"]);
      expect(await keys({ denied: true })).toEqual(["100a", "300a"]);
      expect(await keys({ principal: kim })).toEqual(["200a", "300a"]);
      expect(await keys({ principal: jo, denied: true, until: 100 })).toEqual(["100a"]);
      // Neither a part of an ARN nor a `_` that stands for any letter.
      expect(await keys({ principal: kim.slice(0, -1) })).toEqual([]);
      expect(await keys({ principal: `arn:aws:iam::${account}:user/k_m` })).toEqual([]);
      expect(await keys({ principal: "%" })).toEqual([]);
    });

    test("that are old are deleted, some at a time", async () => {
      expect(await transaction((tx) => q.deleteAuditBlocks(tx, 300, 2))).toBe(2);
      expect(await keys()).toEqual(["200a", "300a"]);
      expect(await transaction((tx) => q.deleteAuditBlocks(tx, 300, 2))).toBe(1);
      expect(await transaction((tx) => q.deleteAuditBlocks(tx, 300, 2))).toBe(0);
      expect(await keys()).toEqual(["300a"]);
    });
  });

  test("changes of documents are found among all changes", async () => {
    const before = await q.selectLastChangeSequence(suite.store.read);
    const change = (kind: string, detail: string | null) => ({
      ...{ at: 5, kind, account, repository: "", digest: null, tag: null, clock: null },
      ...{ origin: "us-east-1", actor: "test", detail },
    });
    const sequences = await transaction(async (tx) => [
      await q.insertChange(tx, change("image_pushed", null)),
      await q.insertChange(tx, change("document_set", '{"kind":"a","name":"1"}')),
      await q.insertChange(tx, change("document_deleted", '{"kind":"a","name":"2"}')),
    ]);
    const last = await q.selectLastChangeSequence(suite.store.read);
    expect(last).toBe(Math.max(...sequences));
    const [, set = 0, deleted = 0] = sequences;
    const found = { sequence: set, account, detail: '{"kind":"a","name":"1"}' };
    expect(await q.selectDocumentChanges(suite.store.read, before, last, 10)).toEqual([
      found,
      { sequence: deleted, account, detail: '{"kind":"a","name":"2"}' },
    ]);
    expect(await q.selectDocumentChanges(suite.store.read, before, last, 1)).toEqual([found]);
    expect(await q.selectDocumentChanges(suite.store.read, before, last - 1, 10)).toEqual([found]);
    expect(await q.selectDocumentChanges(suite.store.read, last, last, 10)).toEqual([]);
  });
}
