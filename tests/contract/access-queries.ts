/** What the queries on access keys and documents promise. */
import { describe, expect, test } from "bun:test";
import * as accessKeyQueries from "../../src/metadata/queries/access-keys.ts";
import * as documentQueries from "../../src/metadata/queries/documents.ts";
import { account, namesInByteOrder, otherAccount, type QuerySuite } from "./query-suite.ts";

export function accessQueriesContract(suite: QuerySuite): void {
  const q = suite.record({ ...accessKeyQueries, ...documentQueries });
  const { transaction } = suite;

  test("access keys are added, replaced but for their age, and disabled", async () => {
    const key: accessKeyQueries.AccessKeyRow = {
      id: "AKIAEXAMPLE000000001",
      account,
      principal: `arn:aws:iam::${account}:root`,
      secret: Uint8Array.of(0, 255, 92, 39),
      source: "generated",
      status: "active",
      created_at: 1_700_000_000_000,
    };
    const older = { ...key, id: "AKIAEXAMPLE000000002", created_at: 5 };
    await transaction((tx) => q.upsertAccessKey(tx, key));
    await transaction((tx) => q.upsertAccessKey(tx, older));
    const found = await q.selectAccessKey(suite.store.read, key.id);
    expect(Buffer.from(found?.secret ?? []).equals(key.secret)).toBe(true);
    expect({ ...found, secret: key.secret }).toEqual(key);
    const replaced = { ...key, secret: Uint8Array.of(1), source: "configuration", created_at: 9 };
    await transaction((tx) => q.upsertAccessKey(tx, replaced));
    await transaction((tx) => q.updateAccessKeyStatus(tx, key.id, "inactive"));
    const again = await q.selectAccessKey(suite.store.read, key.id);
    expect(again?.status).toBe("inactive");
    expect(again?.source).toBe("configuration");
    expect(again?.created_at).toBe(key.created_at);
    const keys = await q.selectAccessKeysOfPrincipal(suite.store.read, key.principal);
    expect(keys.map((row) => row.id)).toEqual([older.id, key.id]);
    expect(await q.selectAccessKey(suite.store.read, "AKIANOTTHERE")).toBeUndefined();
  });

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
  });
}
