/**
 * The embedded database. One connection writes, another reads committed state (write-ahead log).
 *
 * Durability: SQLite itself runs with `synchronous = NORMAL`, so a commit only writes to the log
 * and never blocks the event loop on the disk. What makes it durable is our own `fdatasync` of the
 * log, off the event loop; a transaction is reported only after a sync that began behind its
 * commit: see `group-commit.ts`. Checkpoints run in a thread: see `checkpointer.ts`.
 * docs/internals/decisions/0001-group-commit.md has the figures.
 */
import { open } from "node:fs/promises";
import { dirname } from "node:path";
import { type Checkpointer, checkpointer } from "./checkpointer.ts";
import { type GroupCommit, groupCommit, type LogFile } from "./group-commit.ts";
import type {
  Dialect,
  MetadataStore,
  Queryable,
  SqlValue,
  Transaction,
  TransactionOptions,
} from "./metadata-store.ts";
import { migrate } from "./migrate.ts";
import { openConnection, patiently } from "./sqlite-connection.ts";
import { transactionScope } from "./transaction-scope.ts";

const dialect: Dialect = { forUpdate: "", forUpdateSkipLocked: "", holdName: "" };

/** What a written row costs in the log besides its values: the pages of its table and indexes. */
const writeBytes = 8192;

export interface SqliteOptions {
  /** A file, or ":memory:". */
  readonly path: string;
  readonly now: number;
  /** How long a write waits for another process, such as a `portolan gc` beside the server. */
  readonly busyMilliseconds?: number;
  /** Opens the log for syncing; a test passes a disk that fails. */
  readonly openLog?: (path: string) => Promise<LogFile>;
  /** Told about what the store can live with and a person should know. */
  readonly warn?: (error: Error) => void;
}

export async function sqliteMetadataStore(options: SqliteOptions): Promise<MetadataStore> {
  const { path } = options;
  const memory = path === ":memory:";
  const busyMilliseconds = options.busyMilliseconds ?? 30_000;
  const writer = openConnection(path, busyMilliseconds);
  const reader = memory ? writer : openConnection(path, busyMilliseconds);
  let log: GroupCommit | undefined;
  let checkpoints: Checkpointer | undefined;
  let closing: Promise<void> | undefined;
  /** Settles when what is last in the queue of the writer has left it. */
  let tail: Promise<unknown> = Promise.resolve();
  /** Transactions and reads that `close` waits for. */
  const inFlight = new Set<Promise<unknown>>();

  function track<T>(running: Promise<T>): Promise<T> {
    inFlight.add(running);
    const ended = () => void inFlight.delete(running);
    running.then(ended, ended);
    return running;
  }

  /** One after another, in the order of the calls. */
  function exclusively<T>(work: () => T | Promise<T>): Promise<T> {
    const turn = tail.then(work);
    tail = turn.catch(() => {});
    return turn;
  }

  const read: Queryable = {
    dialect,
    all<Row>(sql: string, parameters: readonly SqlValue[] = []) {
      if (closing) return Promise.reject(closedError());
      const attempt = () => reader.all<Row>(sql, parameters);
      // In memory there is one connection: a read waits until no transaction is open on it.
      return track(memory ? exclusively(attempt) : patiently(attempt, busyMilliseconds));
    },
  };

  async function attempt<T>(work: (tx: Transaction) => Promise<T>) {
    log?.check();
    let written = 0;
    const scope = transactionScope(
      dialect,
      async <Row>(sql: string, parameters: readonly SqlValue[]) => {
        written += writeBytes + bytesOf(parameters);
        return writer.all<Row>(sql, parameters);
      },
    );
    await patiently(() => writer.run("begin immediate"), busyMilliseconds);
    try {
      const result = await work(scope.tx);
      scope.end();
      writer.run("commit");
      checkpoints?.written(written);
      return { result, scope };
    } catch (error) {
      scope.abandon();
      // After some errors, such as a disk that is full, SQLite has rolled back by itself.
      if (writer.inTransaction) writer.run("rollback");
      throw error;
    }
  }

  async function transaction<T>(
    work: (tx: Transaction) => Promise<T>,
    { durable = true }: TransactionOptions = {},
  ): Promise<T> {
    const { result, scope } = await exclusively(() => attempt(work));
    // Also when nothing was written: what it has seen may be a commit whose sync still runs.
    if (durable) await log?.sync();
    scope.committed();
    return result;
  }

  async function close() {
    while (inFlight.size > 0) await Promise.allSettled(inFlight);
    try {
      await checkpoints?.close();
      await log?.close();
    } finally {
      if (!memory) reader.close();
      writer.close();
    }
  }

  const store: MetadataStore = {
    name: "sqlite",
    read,
    transaction: (work, transactionOptions) =>
      closing ? Promise.reject(closedError()) : track(transaction(work, transactionOptions)),
    close() {
      closing ??= close();
      return closing;
    },
  };
  try {
    await migrate(store, { now: options.now });
    if (!memory) {
      log = groupCommit(await (options.openLog ?? openLog)(`${path}-wal`));
      await log.sync();
      writer.run("pragma wal_autocheckpoint = 0");
      writer.run(`pragma journal_size_limit = ${64 * 1024 * 1024}`);
      checkpoints = checkpointer(path, options.warn ?? (() => {}));
    }
  } catch (error) {
    await store.close().catch(() => {});
    throw error;
  }
  return store;
}

function bytesOf(parameters: readonly SqlValue[]): number {
  let bytes = 0;
  for (const value of parameters) {
    if (typeof value === "string") bytes += value.length;
    else if (value instanceof Uint8Array) bytes += value.byteLength;
  }
  return bytes;
}

/**
 * The log stays the same file as long as a connection is open. Closing this handle loses no lock:
 * SQLite's locks are on the database and on its shared memory, never on the log.
 */
async function openLog(path: string): Promise<LogFile> {
  const file = await open(path, "r+");
  const directory = await open(dirname(path), "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
  return file;
}

function closedError(): Error {
  return new Error("the database is closed");
}
