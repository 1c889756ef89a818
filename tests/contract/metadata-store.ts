/**
 * The specification of the metadata store's boundary: every driver passes it.
 * The queries that run on it have theirs in `metadata-queries.ts`.
 */
import { describe, expect, test } from "bun:test";
import type { MetadataStore, SqlValue, Transaction } from "../../src/metadata/metadata-store.ts";
import { insertChange, selectChanges } from "../../src/metadata/queries/changes.ts";
import { selectSetting, upsertSetting } from "../../src/metadata/queries/settings.ts";
import { selectTagForUpdate, upsertTag } from "../../src/metadata/queries/tags.ts";
import type { TestDatabase } from "../support/metadata-stores.ts";

const account = "111122223333";
const write = (tx: Transaction, name: string, value: string) =>
  upsertSetting(tx, account, name, value, 1);
const read = (store: MetadataStore, name: string) => selectSetting(store.read, account, name);

export const change = {
  at: 1_700_000_000_000,
  kind: "image_pushed",
  account,
  repository: "app",
  digest: null,
  tag: null,
  clock: null,
  origin: "us-east-1",
  actor: "arn:aws:iam::111122223333:root",
  detail: null,
};

/** Lets everything run that can run without waiting. */
async function breathe(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

export function metadataStoreContract(createDatabase: () => Promise<TestDatabase>): void {
  describe("transactions", () => {
    test("give the result of their work and make its writes readable", async () => {
      await using database = await createDatabase();
      const store = await database.open();
      expect(await store.transaction((tx) => write(tx, "a", "1").then(() => 42))).toBe(42);
      expect(await read(store, "a")).toBe("1");
      await store.transaction((tx) => write(tx, "a", "2"), { durable: false });
      expect(await read(store, "a")).toBe("2");
    });

    test("read their own writes", async () => {
      await using database = await createDatabase();
      const store = await database.open();
      await store.transaction(async (tx) => {
        await write(tx, "a", "1");
        expect(await selectSetting(tx, account, "a")).toBe("1");
      });
    });

    test("leave nothing behind when their work throws, and throw the same", async () => {
      await using database = await createDatabase();
      const store = await database.open();
      const error = new Error("changed my mind");
      const failing = store.transaction(async (tx) => {
        await write(tx, "a", "1");
        throw error;
      });
      expect(await failing.catch((caught) => caught)).toBe(error);
      expect(await read(store, "a")).toBeUndefined();
      await store.transaction((tx) => write(tx, "a", "2"));
      expect(await read(store, "a")).toBe("2");
    });

    test("commit nothing after a failed statement, also when the work swallows its error", async () => {
      await using database = await createDatabase();
      const store = await database.open();
      const insert = "insert into counters (name, value) values ($1, $2)";
      let later: unknown;
      const swallowing = store.transaction(async (tx) => {
        await tx.all(insert, ["x", 1]);
        const conflict = await tx.all(insert, ["x", 2]).catch((error) => error);
        later = await tx.all("select 1 as one").catch((error) => error);
        expect(later).toBe(conflict);
      });
      expect(await swallowing.catch((error) => error)).toBe(later);
      expect(later).toBeInstanceOf(Error);
      expect(await store.read.all("select name from counters where name = 'x'")).toEqual([]);
    });

    test("cannot be used after their end", async () => {
      await using database = await createDatabase();
      const store = await database.open();
      const escaped: Transaction[] = [];
      await store.transaction(async (tx) => void escaped.push(tx));
      await store
        .transaction(async (tx) => {
          escaped.push(tx);
          throw new Error("no");
        })
        .catch(() => {});
      expect(escaped).toHaveLength(2);
      for (const tx of escaped) await expect(write(tx, "a", "1")).rejects.toThrow("has ended");
    });

    test("are invisible to reads until they commit", async () => {
      await using database = await createDatabase();
      const store = await database.open();
      const gate = Promise.withResolvers<void>();
      const written = Promise.withResolvers<void>();
      const rolledBack = store
        .transaction(async (tx) => {
          await write(tx, "a", "1");
          written.resolve();
          await gate.promise;
          throw new Error("no");
        })
        .catch(() => {});
      await written.promise;
      // In memory the read waits; it must not see the write in either case.
      const seen = read(store, "a");
      await breathe();
      gate.resolve();
      expect(await seen).toBeUndefined();
      await rolledBack;
    });

    test("lose no update when many change one row", async () => {
      await using database = await createDatabase();
      const store = await database.open();
      const tag = { name: "latest", digest: "sha256:0", origin: "us-east-1", now: 1 };
      await store.transaction((tx) => upsertTag(tx, 1, { ...tag, clock: "0" }));
      const increment = () =>
        store.transaction(async (tx) => {
          const row = await selectTagForUpdate(tx, 1, tag.name);
          await breathe();
          await upsertTag(tx, 1, { ...tag, clock: String(Number(row?.clock) + 1) });
        });
      await Promise.all(Array.from({ length: 30 }, increment));
      const rows = await store.read.all<{ clock: string }>("select clock from tags");
      expect(rows).toEqual([{ clock: "30" }]);
    });

    test("never claim a row twice, and pass over rows that others hold", async () => {
      await using database = await createDatabase();
      const store = await database.open();
      await store.transaction(async (tx) => {
        for (let i = 0; i < 20; i++) await write(tx, `job ${i}`, "free");
      });
      const claim = () =>
        store.transaction(async (tx) => {
          const rows = await tx.all<{ name: string }>(
            `select name from settings where value = 'free' order by name limit 1
             ${tx.dialect.forUpdateSkipLocked}`,
          );
          await breathe();
          for (const { name } of rows) await write(tx, name, "taken");
          return rows.map(({ name }) => name);
        });
      const claimed = (await Promise.all(Array.from({ length: 20 }, claim))).flat();
      expect(new Set(claimed).size).toBe(20);
    });
  });

  describe("afterCommit", () => {
    test("runs once, in order, when the writes can be read", async () => {
      await using database = await createDatabase();
      const store = await database.open();
      const seen: unknown[] = [];
      const reading = Promise.withResolvers<string | undefined>();
      await store.transaction(async (tx) => {
        tx.afterCommit(() => seen.push(1));
        await write(tx, "a", "1");
        tx.afterCommit(() => seen.push(2));
        tx.afterCommit(() => reading.resolve(read(store, "a")));
        expect(seen).toEqual([]);
      });
      expect(seen).toEqual([1, 2]);
      expect(await reading.promise).toBe("1");
    });

    test("does not run when nothing was committed", async () => {
      await using database = await createDatabase();
      const store = await database.open();
      let ran = false;
      const failing = store.transaction(async (tx) => {
        tx.afterCommit(() => {
          ran = true;
        });
        throw new Error("no");
      });
      await expect(failing).rejects.toThrow("no");
      await failing.catch(() => {});
      expect(ran).toBe(false);
    });

    test("reports an action that throws, and runs the others", async () => {
      await using database = await createDatabase();
      const store = await database.open();
      const reported: unknown[] = [];
      const original = globalThis.reportError;
      globalThis.reportError = (error) => void reported.push(error);
      try {
        let ran = false;
        const error = new Error("a bug in a cache");
        const result = await store.transaction(async (tx) => {
          tx.afterCommit(() => {
            throw error;
          });
          tx.afterCommit(() => {
            ran = true;
          });
          return "committed";
        });
        expect(result).toBe("committed");
        expect(ran).toBe(true);
        expect(reported).toEqual([error]);
      } finally {
        globalThis.reportError = original;
      }
    });
  });

  describe("the journal", () => {
    test("is in commit order: who sees a change has seen all before it", async () => {
      await using database = await createDatabase();
      const store = await database.open();
      const nodes = database.reopens ? [store, await database.open()] : [store];
      const seen: number[] = [];
      let writing = true;
      const reader = (async () => {
        for (let last = false; !last; ) {
          last = !writing;
          const rows = await selectChanges(store.read, seen.at(-1) ?? 0, 7);
          seen.push(...rows.map((row) => row.sequence));
          if (rows.length > 0) last = false;
          await breathe();
        }
      })();
      const writers = Array.from({ length: 120 }, (_, i) =>
        (nodes[i % nodes.length] ?? store)
          .transaction(async (tx) => {
            await write(tx, `setting ${i % 5}`, String(i));
            await insertChange(tx, change);
            if (i % 3 === 0) await breathe();
            if (i % 4 === 0) throw new Error("rolled back");
          })
          .catch(() => {}),
      );
      await Promise.all(writers);
      writing = false;
      await reader;
      // 90 commits; the rolled back ones leave no gap.
      expect(seen).toEqual(Array.from({ length: 90 }, (_, i) => i + 1));
    }, 20_000);
  });

  describe("values", () => {
    test("rows are plain objects in a plain array", async () => {
      await using database = await createDatabase();
      const store = await database.open();
      const select = "select 1 as one union select 2 order by one";
      for (const rows of [
        await store.read.all(select),
        await store.transaction((tx) => tx.all(select)),
      ]) {
        expect(rows.constructor).toBe(Array);
        expect(Object.keys(rows)).toEqual(["0", "1"]);
        expect(rows).toMatchObject([{ one: 1 }, { one: 2 }]);
        expect(Object.prototype.toString.call(rows[0])).toBe("[object Object]");
      }
    });

    test("integers up to 2^53-1 come back as numbers", async () => {
      await using database = await createDatabase();
      const store = await database.open();
      const numbers = [0, 1, -1, 2 ** 31 - 1, 2 ** 31, -(2 ** 31) - 1, 1_700_000_000_000];
      numbers.push(Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER);
      for (const [i, value] of numbers.entries()) {
        await store.transaction((tx) =>
          tx.all("insert into counters (name, value) values ($1, $2)", [`n${i}`, value]),
        );
        const rows = await store.read.all<{ name: string; value: number }>(
          "select name, value from counters where value = $1",
          [value],
        );
        expect(rows).toEqual([{ name: `n${i}`, value }]);
      }
      expect(await store.read.all("select count(*) as count from counters")).toEqual([
        { count: numbers.length },
      ]);
    });

    test("text comes back as it was, whatever it holds", async () => {
      await using database = await createDatabase();
      const store = await database.open();
      const texts = ["", "'; drop table tags; --", "$1 ?1 :a %s", 'a"b\\c\n\r\t', "ÅÅ ñ 日本 😀"];
      texts.push("\u{10FFFF}\uFFFD\u0001\u007f", "x".repeat(1_000_000));
      for (const text of texts) {
        await store.transaction((tx) => write(tx, "text", text));
        expect(await read(store, "text")).toBe(text);
      }
    });

    test("bytes come back as Uint8Array, null as null", async () => {
      await using database = await createDatabase();
      const store = await database.open();
      const all = Uint8Array.from({ length: 256 }, (_, i) => i);
      const large = new Uint8Array(4 * 1024 * 1024).map((_, i) => i * 7);
      for (const bytes of [all, new Uint8Array(), all.subarray(10, 20), large]) {
        await store.transaction(async (tx) => {
          await tx.all("delete from manifests");
          await tx.all(
            `insert into manifests (repository_id, digest, media_type, bytes, artifact_type,
               subject, annotations, pushed_at, origin)
             values ($1, 'd', 'm', $2, $3, null, null, 1, 'o')`,
            [1, bytes, null],
          );
        });
        const [row] = await store.read.all<{ bytes: Uint8Array; artifact_type: null }>(
          "select bytes, artifact_type, subject from manifests",
        );
        expect(row?.bytes.constructor).toBe(Uint8Array);
        expect(Buffer.compare(row?.bytes ?? all, bytes)).toBe(0);
        expect(row?.artifact_type).toBeNull();
      }
    });

    test("what the engines would treat differently is refused, without repeating it", async () => {
      await using database = await createDatabase();
      const store = await database.open();
      const refused: unknown[] = [1.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY, 7n];
      refused.push("secret\0", "secret\ud800", undefined, true, new Date(), [1]);
      for (const value of refused) {
        const parameters = ["a", value] as SqlValue[];
        const sql = "select name from settings where account = $1 and value = $2";
        const error = await store.read.all(sql, parameters).catch((caught) => caught);
        expect(error).toBeInstanceOf(TypeError);
        expect(String(error)).toContain("$2");
        expect(String(error)).not.toContain("secret");
        await expect(store.transaction((tx) => tx.all(sql, parameters))).rejects.toThrow(TypeError);
      }
      await store.transaction((tx) => write(tx, "a", "still works"));
    });
  });

  describe("opening and closing", () => {
    test("close waits for what runs, then everything is refused", async () => {
      await using database = await createDatabase();
      const store = await database.open();
      const started = Promise.withResolvers<void>();
      const running = store.transaction(async (tx) => {
        started.resolve();
        await breathe();
        await write(tx, "a", "1");
        return "done";
      });
      const reading = read(store, "a");
      await started.promise;
      const closing = store.close();
      await expect(store.transaction((tx) => write(tx, "b", "1"))).rejects.toThrow("closed");
      await expect(read(store, "a")).rejects.toThrow("closed");
      expect(await running).toBe("done");
      await reading;
      await closing;
      await store.close();
      if (!database.reopens) return;
      const again = await database.open();
      expect(await read(again, "a")).toBe("1");
      expect(await read(again, "b")).toBeUndefined();
    });

    test("several nodes may open a new database at the same time", async () => {
      await using database = await createDatabase();
      if (!database.reopens) return;
      const nodes = await Promise.all(Array.from({ length: 4 }, () => database.open()));
      await Promise.all(nodes.map((node, i) => node.transaction((tx) => write(tx, `n${i}`, "1"))));
      for (const node of nodes) {
        for (const i of nodes.keys()) expect(await read(node, `n${i}`)).toBe("1");
      }
    });

    test("a database of a newer version is refused", async () => {
      await using database = await createDatabase();
      if (!database.reopens) return;
      const store = await database.open();
      await store.transaction((tx) =>
        tx.all("insert into migrations (name, applied_at) values ('9999-future', 1)"),
      );
      await store.close();
      await expect(database.open()).rejects.toThrow("9999-future");
    });
  });
}
