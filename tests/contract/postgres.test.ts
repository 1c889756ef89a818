/** What PostgreSQL's driver promises beyond the contract: lost connections, conflicts, its URL. */
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import type { MetadataStore, Transaction } from "../../src/metadata/metadata-store.ts";
import { type PostgresOptions, postgresMetadataStore } from "../../src/metadata/postgres.ts";
import { selectSetting, upsertSetting } from "../../src/metadata/queries/settings.ts";
import { systemClock, systemRandom } from "../../src/runtime/clock.ts";
import { type MessageProxy, messageProxy } from "../support/message-proxy.ts";
import {
  administrate,
  createPostgresDatabase,
  postgresAvailable,
  postgresServerUrl,
} from "../support/metadata-stores.ts";
import { postgresPrograms, startPostgresServer } from "../support/postgres-server.ts";

const account = "111122223333";
const write = (tx: Transaction, name: string, value = "1") =>
  upsertSetting(tx, account, name, value, 1);
const read = (store: MetadataStore, name: string) => selectSetting(store.read, account, name);

function open(url: string, options: Partial<PostgresOptions> = {}): Promise<MetadataStore> {
  const effects = { clock: systemClock, random: systemRandom };
  return postgresMetadataStore({ url, now: 1, ...effects, ...options });
}

/** Ends the sessions of a database, except the one that asks. */
const endSessions = (store: MetadataStore) =>
  store.read.all(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid()`,
  );

const sqlError = (state: string) =>
  `do $$ begin raise exception 'asked for' using errcode = '${state}'; end $$`;

const socket = postgresAvailable ? await unixSocket() : undefined;

async function unixSocket(): Promise<{ directory: string; port: number } | undefined> {
  const port = Number(new URL(postgresServerUrl ?? "").port || 5432);
  const [row] = await administrate("show unix_socket_directories");
  const directories = String(row?.unix_socket_directories).split(",");
  for (const directory of directories.map((text) => text.trim())) {
    if (existsSync(`${directory}/.s.PGSQL.${port}`)) return { directory, port };
  }
  return undefined;
}

describe.skipIf(!postgresAvailable)("postgres", () => {
  describe("conflicts", () => {
    test("two transactions that wait for each other both happen", async () => {
      await using database = await createPostgresDatabase();
      const store = await database.open();
      for (const name of ["a", "b"]) await store.transaction((tx) => write(tx, name, "0"));
      let runs = 0;
      const committed: string[] = [];
      const both = Promise.withResolvers<void>();
      const crossing = (first: string, second: string) =>
        store.transaction(async (tx) => {
          tx.afterCommit(() => committed.push(first));
          await write(tx, first, first);
          runs += 1;
          if (runs === 2) both.resolve();
          await both.promise;
          await write(tx, second, first);
        });
      await Promise.all([crossing("a", "b"), crossing("b", "a")]);
      expect(runs).toBe(3);
      expect(committed.toSorted()).toEqual(["a", "b"]);
      expect(await read(store, "a")).toBe(await read(store, "b"));
    });

    test("are repeated with random pauses, and not for ever", async () => {
      await using database = await createPostgresDatabase();
      const pauses: number[] = [];
      const clock = {
        async sleep(milliseconds: number) {
          pauses.push(milliseconds);
        },
      };
      const store = await open(database.location, { clock, random: { next: () => 0.5 } });
      let runs = 0;
      const failing = (state: string, times: number) =>
        store.transaction(async (tx) => {
          runs += 1;
          if (runs <= times) await tx.all(sqlError(state));
          await write(tx, `run ${runs}`);
        });
      await failing("40001", 3);
      expect(runs).toBe(4);
      expect(pauses).toEqual([5, 10, 20]);
      runs = 0;
      const error = await failing("40P01", 1000).catch((caught) => caught);
      expect(error.errno).toBe("40P01");
      expect(runs).toBe(10);
      expect(Math.max(...pauses)).toBe(500);
      runs = 0;
      await expect(failing("23505", 1)).rejects.toThrow("asked for");
      expect(runs).toBe(1);
      await store.close();
    });

    test("are repeated also when the work makes another error of them", async () => {
      await using database = await createPostgresDatabase();
      const store = await database.open();
      let runs = 0;
      await store.transaction(async (tx) => {
        runs += 1;
        if (runs > 1) return;
        await tx.all(sqlError("40001")).catch((cause) => {
          throw new Error("could not push", { cause });
        });
      });
      expect(runs).toBe(2);
    });
  });

  describe("lost connections", () => {
    test("are replaced", async () => {
      await using database = await createPostgresDatabase();
      const [store, killer] = [await database.open(), await database.open()];
      for (let round = 0; round < 3; round++) {
        await Promise.all(Array.from({ length: 10 }, (_, i) => read(store, `n${i}`)));
        await endSessions(killer);
        await store.transaction((tx) => write(tx, "a", String(round)));
        expect(await read(store, "a")).toBe(String(round));
      }
    });

    test("before the commit repeat the transaction, and nothing of it is there twice", async () => {
      await using database = await createPostgresDatabase();
      const [store, killer] = [await database.open(), await database.open()];
      let runs = 0;
      let committed = 0;
      await store.transaction(async (tx) => {
        runs += 1;
        tx.afterCommit(() => {
          committed += 1;
        });
        await tx.all("insert into counters (name, value) values ('x', 1)");
        if (runs === 1) await endSessions(killer);
        await write(tx, "a");
      });
      expect([runs, committed]).toEqual([2, 1]);
      expect(await read(store, "a")).toBe("1");
    });

    test.each(["before", "after"] as const)(
      "during the commit, %s it was done, are reported as unknown and not repeated",
      async (when) => {
        await using database = await createPostgresDatabase();
        const direct = await database.open();
        const url = new URL(database.location);
        await using proxy: MessageProxy = await messageProxy({
          host: url.hostname,
          port: Number(url.port || 5432),
        });
        url.port = String(proxy.port);
        const store = await open(url.href);
        let runs = 0;
        proxy.cutAt("commit; select pg_logical", when);
        const committing = store.transaction(async (tx) => {
          runs += 1;
          await write(tx, "a");
        });
        const error = await committing.catch((caught) => caught);
        expect(error.name).toBe("CommitUnknownError");
        expect(runs).toBe(1);
        if (when === "after") expect(await read(direct, "a")).toBe("1");
        // The store goes on.
        await store.transaction((tx) => write(tx, "b"));
        expect(await read(direct, "b")).toBe("1");
        await store.close();
      },
    );

    test.skipIf(postgresPrograms() === undefined)(
      "to a server that crashes and comes back are replaced, and nothing committed is gone",
      async () => {
        await using server = await startPostgresServer(postgresPrograms() ?? "");
        const store = await open(server.url);
        for (let round = 0; round < 2; round++) {
          await store.transaction((tx) => write(tx, `round ${round}`));
          await server.crash();
          expect(await read(store, `round ${round}`)).toBe("1");
        }
        await store.close();
      },
      30_000,
    );
  });

  describe("connections", () => {
    test("are limited, and reads do not wait behind transactions", async () => {
      await using database = await createPostgresDatabase();
      const store = await open(database.location, { transactionConnectionsLimit: 2 });
      const gate = Promise.withResolvers<void>();
      const started = Promise.withResolvers<void>();
      let running = 0;
      let most = 0;
      const transactions = Array.from({ length: 9 }, (_, i) =>
        store.transaction(async (tx) => {
          running += 1;
          most = Math.max(most, running);
          if (running === 2) started.resolve();
          await gate.promise;
          await write(tx, `n${i}`);
          running -= 1;
        }),
      );
      await started.promise;
      expect(await read(store, "n0")).toBeUndefined();
      gate.resolve();
      await Promise.all(transactions);
      expect(most).toBe(2);
      expect(await read(store, "n8")).toBe("1");
      await store.close();
    });

    test("are closed after a time limit under a transaction that does not end", async () => {
      await using database = await createPostgresDatabase();
      const store = await open(database.location, { clock: { sleep: async () => {} } });
      const started = Promise.withResolvers<void>();
      const gate = Promise.withResolvers<void>();
      const hanging = store.transaction(async (tx) => {
        await write(tx, "a");
        started.resolve();
        await gate.promise;
        await write(tx, "b");
      });
      const outcome = hanging.catch((error: unknown) => error);
      await started.promise;
      await store.close();
      gate.resolve();
      expect(await outcome).toBeInstanceOf(Error);
      const again = await database.open();
      expect(await read(again, "a")).toBeUndefined();
    });

    test.skipIf(socket === undefined)("go through a unix socket", async () => {
      await using database = await createPostgresDatabase();
      const url = new URL(database.location);
      const { directory, port } = socket ?? { directory: "", port: 0 };
      const store = await open(
        `postgres://${url.username}:${url.password}@${url.pathname}?host=${directory}&port=${port}`,
      );
      const rows = await store.read.all("select inet_server_addr() as address");
      expect(rows).toEqual([{ address: null }]);
      await store.close();
    });

    test("take nothing from the environment of other programs", async () => {
      await using database = await createPostgresDatabase();
      const names = ["PGDATABASE", "PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "DATABASE_URL"];
      names.push("POSTGRES_URL", "TLS_DATABASE_URL");
      const before = names.map((name) => process.env[name]);
      for (const name of names) process.env[name] = name.endsWith("URL") ? "mysql://x@y/z" : "7";
      try {
        const store = await open(database.location);
        const rows = await store.read.all("select current_database() as name");
        expect(rows).toEqual([{ name: new URL(database.location).pathname.slice(1) }]);
        await store.close();
      } finally {
        for (const [i, name] of names.entries()) {
          const value = before[i];
          if (value === undefined) delete process.env[name];
          else process.env[name] = value;
        }
      }
    });
  });

  describe("durability", () => {
    test("waits for the disk also where the server's default would not", async () => {
      await using database = await createPostgresDatabase();
      const name = new URL(database.location).pathname.slice(1);
      await administrate(`alter database ${name} set synchronous_commit = off`);
      const store = await database.open();
      const select = "select setting, reset_val from pg_settings where name = 'synchronous_commit'";
      const inside = await store.transaction((tx) => tx.all(select));
      expect(inside).toEqual([{ setting: "off", reset_val: "on" }]);
    });

    test("a transaction is in the log on the disk when it is reported, unless it need not be", async () => {
      await using database = await createPostgresDatabase();
      const store = await database.open();
      const isOnDisk = async (durable: boolean): Promise<boolean> => {
        const position = await store.transaction(
          async (tx) => {
            await write(tx, "a");
            const rows = await tx.all<{ lsn: string }>(
              "select cast(pg_current_wal_insert_lsn() as text) as lsn",
            );
            return rows[0]?.lsn ?? "";
          },
          { durable },
        );
        const rows = await store.read.all<{ flushed: number }>(
          "select pg_current_wal_flush_lsn() >= cast($1 as pg_lsn) as flushed",
          [position],
        );
        return rows[0]?.flushed === 1;
      };
      const outcomes = async (durable: boolean) => {
        const found = new Set<boolean>();
        for (let i = 0; i < 40; i++) found.add(await isOnDisk(durable));
        return found;
      };
      expect(await outcomes(true)).toEqual(new Set([true]));
      // The server writes by itself five times a second: most of forty are seen before that.
      expect(await outcomes(false)).toContain(false);
    });
  });

  describe("errors", () => {
    test("never show the password", async () => {
      await using database = await createPostgresDatabase();
      const good = new URL(database.location);
      const secret = "s3cr3t-w0rd";
      const urls = [
        `postgres://${good.username}:${secret}@${good.host}${good.pathname}`,
        `postgres://nobody:${secret}@${good.host}${good.pathname}`,
        `postgres://${good.username}:${secret}@127.0.0.1:1/x`,
        `postgres://${good.username}:${secret}@does-not-exist.invalid/x`,
        `postgres://${good.username}:${secret}@/x?host=/does/not/exist`,
        `postgres://${good.username}:${secret}@${good.host}/x?sslmode=verify-full`,
        `postgres://${good.username}:${secret}@${good.host}`,
      ];
      for (const url of urls) {
        const error = await open(url, { clock: { sleep: async () => {} } }).catch((e) => e);
        expect(error).toBeInstanceOf(Error);
        expect(Bun.inspect(error, { depth: 10 }).replaceAll(/^.*\|.*$/gm, "")).not.toContain(
          secret,
        );
        expect(JSON.stringify(error) + String(error.stack)).not.toContain(secret);
      }
    }, 30_000);
  });
});
