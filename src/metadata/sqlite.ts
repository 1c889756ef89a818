/**
 * The embedded database. One connection writes, another reads committed state (write-ahead log).
 *
 * Durability: SQLite itself runs with `synchronous = NORMAL`, so a commit only writes to the log
 * and never blocks the event loop on the disk. What makes it durable is our own `fdatasync` of the
 * log, off the event loop; a transaction is reported only after a sync that began behind its
 * commit. Commits that arrive while a sync runs share the next one: that is the group commit.
 * docs/internals/decisions/0001-group-commit.md has the figures.
 */
import { Database } from "bun:sqlite";
import { type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";
import type {
  Dialect,
  MetadataStore,
  Queryable,
  SqlValue,
  Transaction,
  TransactionOptions,
} from "./metadata-store.ts";
import { migrate } from "./migrate.ts";

const dialect: Dialect = { forUpdate: "", forUpdateSkipLocked: "" };

export interface SqliteOptions {
  /** A file, or ":memory:". */
  readonly path: string;
  readonly now: number;
  /** How long a write waits for another process, such as a `portolan gc` beside the server. */
  readonly busyMilliseconds?: number;
}

export async function sqliteMetadataStore(options: SqliteOptions): Promise<MetadataStore> {
  const memory = options.path === ":memory:";
  const writer = openConnection(options.path);
  const reader = memory ? writer : openConnection(options.path);
  const busyMilliseconds = options.busyMilliseconds ?? 30_000;
  let log: LogSync | undefined;
  let closed = false;
  /** Settles when the transaction that is last in the queue has left the writer. */
  let tail: Promise<unknown> = Promise.resolve();

  const read: Queryable = {
    dialect,
    async all<Row>(sql: string, parameters: readonly SqlValue[] = []) {
      // In memory there is one connection: wait until no transaction is open on it.
      if (memory) await tail;
      return run<Row>(reader, sql, parameters);
    },
  };

  async function runExclusively<T>(work: (tx: Transaction) => Promise<T>, actions: (() => void)[]) {
    await begin(writer, busyMilliseconds);
    let open = true;
    try {
      const result = await work({
        dialect,
        async all<Row>(sql: string, parameters: readonly SqlValue[] = []) {
          if (!open) throw new Error("the transaction has ended");
          return run<Row>(writer, sql, parameters);
        },
        afterCommit: (action) => void actions.push(action),
      });
      open = false;
      writer.run("commit");
      return result;
    } catch (error) {
      open = false;
      if (writer.inTransaction) writer.run("rollback");
      throw error;
    }
  }

  async function transaction<T>(
    work: (tx: Transaction) => Promise<T>,
    { durable = true }: TransactionOptions = {},
  ): Promise<T> {
    if (closed) throw new Error("the database is closed");
    const actions: (() => void)[] = [];
    const turn = tail.then(() => runExclusively(work, actions));
    tail = turn.catch(() => {});
    const result = await turn;
    if (durable) await log?.sync();
    for (const action of actions) action();
    return result;
  }

  const store: MetadataStore = {
    name: "sqlite",
    read,
    transaction,
    async close() {
      closed = true;
      await tail;
      await log?.close();
      if (!memory) reader.close();
      writer.close();
    },
  };
  await migrate(store, { now: options.now });
  if (!memory) log = await openLog(options.path);
  return store;
}

function openConnection(path: string): Database {
  const database = new Database(path, { create: true, strict: true });
  database.run("pragma journal_mode = wal");
  database.run("pragma synchronous = normal");
  database.run("pragma foreign_keys = on");
  database.run("pragma cache_size = -16384");
  database.run("pragma temp_store = memory");
  return database;
}

/** SQLite numbers its parameters `?1`; the queries are written with `$1`. */
const translated = new Map<string, string>();

function run<Row>(database: Database, sql: string, parameters: readonly SqlValue[]): Row[] {
  let text = translated.get(sql);
  if (text === undefined) {
    text = sql.replace(/\$(\d+)/g, "?$1");
    translated.set(sql, text);
  }
  return database.query<Row, SqlValue[]>(text).all(...parameters);
}

/** Another process may hold the write lock: wait for it without blocking the event loop. */
async function begin(database: Database, busyMilliseconds: number): Promise<void> {
  for (let waited = 0; ; waited += 5) {
    try {
      database.run("begin immediate");
      return;
    } catch (error) {
      const code = (error as { code?: string }).code ?? "";
      if (!code.startsWith("SQLITE_BUSY") || waited >= busyMilliseconds) throw error;
      await Bun.sleep(5);
    }
  }
}

interface LogSync {
  /** Resolves when everything committed before the call is on the disk. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

async function openLog(path: string): Promise<LogSync> {
  const file: FileHandle = await open(`${path}-wal`, "r+");
  const directory = await open(dirname(path), "r");
  await directory.sync();
  await directory.close();
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  function start(): Promise<void> {
    const sync = file.datasync();
    running = sync;
    const ended = () => {
      running = undefined;
    };
    sync.then(ended, ended);
    return sync;
  }

  return {
    sync() {
      if (running === undefined) return start();
      // The running sync may have begun before our commit: wait for the one behind it.
      next ??= running
        .catch(() => {})
        .then(() => {
          next = undefined;
          return start();
        });
      return next;
    },
    async close() {
      await file.datasync();
      await file.close();
    },
  };
}
