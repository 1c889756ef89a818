/**
 * PostgreSQL, for regions that several nodes serve. The client is the one in Bun (`Bun.SQL`): it
 * pipelines, prepares statements, and passes everything in `tests/contract`, so no dependency is
 * needed.
 *
 * Isolation is READ COMMITTED. A transaction holds the rows that it relies on, the repository or a
 * name where a row may not exist yet, and the journal's counter row from its first journal row to
 * its commit, so the order of sequences is the order in which commits become visible: whoever sees
 * change 6 sees change 5.
 */
import type { Clock, Random } from "../runtime/clock.ts";
import type {
  Dialect,
  MetadataStore,
  Queryable,
  SqlValue,
  Transaction,
  TransactionOptions,
} from "./metadata-store.ts";
import { migrate } from "./migrate.ts";
import {
  beginStatements,
  commit,
  connect,
  durableSettings,
  isRepeatable,
  runStatement,
} from "./postgres-connection.ts";
import { parsePostgresUrl } from "./postgres-url.ts";
import { type TransactionScope, transactionScope } from "./transaction-scope.ts";

const dialect: Dialect = {
  forUpdate: "for update",
  forUpdateSkipLocked: "for update skip locked",
  holdName: "select pg_advisory_xact_lock(hashtextextended($1, 0))",
};

export interface PostgresOptions {
  /** See `postgres-url.ts`. Holds the password: never log it. */
  readonly url: string;
  readonly now: number;
  readonly clock: Pick<Clock, "sleep">;
  readonly random: Pick<Random, "next">;
  /** Transactions that run at the same time. */
  readonly transactionConnectionsLimit?: number;
  /** Reads have their own, so that pulls never wait behind pushes that wait for a lock. */
  readonly readConnectionsLimit?: number;
}

/** The pause before a repetition is random, up to `5 ms * 2^attempt`, at most a second. */
const attemptsLimit = 10;
const pauseMilliseconds = 5;
const pauseMillisecondsLimit = 1000;
/** How long `close` waits for what is running. */
const closeMilliseconds = 30_000;

/** Any number will do that every node uses and that no other program is likely to use. */
const migrationLock = 5_001_111_122;

export async function postgresMetadataStore(options: PostgresOptions): Promise<MetadataStore> {
  const address = parsePostgresUrl(options.url);
  const reads = connect(address, options.readConnectionsLimit ?? 8);
  let settings: Record<string, string>;
  try {
    settings = await repeatedly(() => durableSettings(reads));
  } catch (error) {
    await reads.close({ timeout: 0 });
    throw error;
  }
  const transactions = connect(address, options.transactionConnectionsLimit ?? 16, settings);
  let closing: Promise<void> | undefined;
  /** What `close` waits for. */
  const inFlight = new Set<Promise<unknown>>();

  function track<T>(work: () => Promise<T>): Promise<T> {
    if (closing) return Promise.reject(new Error("the database is closed"));
    const running = work();
    inFlight.add(running);
    const ended = () => void inFlight.delete(running);
    running.then(ended, ended);
    return running;
  }

  /** Repeats what the server asks to repeat, and what certainly had no effect. */
  async function repeatedly<T>(attempt: () => Promise<T>): Promise<T> {
    for (let attempts = 1; ; attempts++) {
      try {
        return await attempt();
      } catch (error) {
        if (attempts >= attemptsLimit || !isRepeatable(error)) throw error;
        const limit = Math.min(pauseMillisecondsLimit, pauseMilliseconds * 2 ** attempts);
        await options.clock.sleep(limit * options.random.next());
      }
    }
  }

  const read: Queryable = {
    dialect,
    all: <Row>(sql: string, parameters: readonly SqlValue[] = []) =>
      track(() => repeatedly(() => runStatement<Row>(reads, sql, parameters))),
  };

  async function attempt<T>(
    work: (tx: Transaction) => Promise<T>,
    durable: boolean,
  ): Promise<{ result: T; scope: TransactionScope }> {
    // Released with a transaction open, a connection is closed: nothing leaks to the next user.
    using connection = await transactions.reserve();
    const scope = transactionScope(dialect, (sql, parameters) =>
      runStatement(connection, sql, parameters),
    );
    try {
      await connection.unsafe(beginStatements);
      const result = await work(scope.tx);
      scope.end();
      await commit(connection, durable);
      return { result, scope };
    } catch (error) {
      const failure = scope.abandon();
      // The connection may be the thing that failed, and then there is nothing to roll back.
      await connection.unsafe("rollback").catch(() => {});
      // `work` may have made another error of it.
      throw isRepeatable(failure) ? failure : error;
    }
  }

  async function transaction<T>(
    work: (tx: Transaction) => Promise<T>,
    { durable = true }: TransactionOptions = {},
  ): Promise<T> {
    const { result, scope } = await repeatedly(() => attempt(work, durable));
    scope.committed();
    return result;
  }

  async function close(): Promise<void> {
    const finished = new AbortController();
    const settled = async () => {
      while (inFlight.size > 0) await Promise.allSettled(inFlight);
    };
    await Promise.race([settled(), options.clock.sleep(closeMilliseconds, finished.signal)]);
    finished.abort();
    await Promise.all([transactions.close({ timeout: 0 }), reads.close({ timeout: 0 })]);
  }

  const store: MetadataStore = {
    name: "postgres",
    read,
    transaction: (work, transactionOptions) => track(() => transaction(work, transactionOptions)),
    close() {
      closing ??= close();
      return closing;
    },
  };
  try {
    await migrate(store, {
      now: options.now,
      adapt: adaptStatement,
      lock: `select pg_advisory_xact_lock(${migrationLock})`,
    });
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}

/** The database's own collation may follow a language; ours is the order of bytes, as in SQLite. */
function adaptStatement(statement: string): string {
  return statement.replace(/ text\b/g, ' text collate "C"');
}
