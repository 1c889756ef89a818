/**
 * PostgreSQL, for regions that several nodes serve. The client is the one in Bun (`Bun.SQL`): it
 * pipelines, prepares statements, and passed everything in `tests/contract`, so no dependency is
 * needed.
 *
 * Isolation is READ COMMITTED. The queries hold the rows that they rely on, and the journal's
 * counter row stays held until the commit, so the order of sequences is the order in which commits
 * become visible: whoever sees change 6 sees change 5.
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
import { checkParameters } from "./parameters.ts";
import { type PostgresAddress, parsePostgresUrl } from "./postgres-url.ts";

const dialect: Dialect = {
  forUpdate: "for update",
  forUpdateSkipLocked: "for update skip locked",
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

/** A repetition waits up to `retryMilliseconds * 2^attempt`, at most a second. */
const attemptsLimit = 10;
const retryMilliseconds = 5;
/** How long `close` waits for what is running. */
const closeMilliseconds = 30_000;

/** Any number will do; it must only be the same on every node. */
const migrationLock = 5_001_111_122;

export async function postgresMetadataStore(options: PostgresOptions): Promise<MetadataStore> {
  const address = parsePostgresUrl(options.url);
  const transactions = connect(address, options.transactionConnectionsLimit ?? 16);
  const reads = connect(address, options.readConnectionsLimit ?? 8);
  const inFlight = new Set<Promise<unknown>>();
  let closed = false;

  /** `close` waits for it. */
  function track<T>(work: () => Promise<T>): Promise<T> {
    if (closed) return Promise.reject(new Error("the database is closed"));
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
        const limit = Math.min(1000, retryMilliseconds * 2 ** attempts);
        await options.clock.sleep(limit * options.random.next());
      }
    }
  }

  const read: Queryable = {
    dialect,
    all: <Row>(sql: string, parameters: readonly SqlValue[] = []) =>
      track(() => repeatedly(() => run<Row>(reads, sql, parameters))),
  };

  async function attempt<T>(
    work: (tx: Transaction) => Promise<T>,
    durable: boolean,
  ): Promise<{ result: T; actions: (() => void)[] }> {
    const actions: (() => void)[] = [];
    let open = true;
    /** PostgreSQL refuses everything behind a failed statement; say why, and never commit. */
    let failure: { error: unknown } | undefined;
    // Releasing a connection with an open transaction closes it, so nothing can leak to the next.
    using connection = await transactions.reserve();
    try {
      await connection.unsafe(
        `begin isolation level read committed${durable ? "" : "; set local synchronous_commit = off"}`,
      );
      const result = await work({
        dialect,
        async all<Row>(sql: string, parameters: readonly SqlValue[] = []) {
          if (!open) throw new Error("the transaction has ended");
          if (failure) throw failure.error;
          try {
            return await run<Row>(connection, sql, parameters);
          } catch (error) {
            failure ??= { error };
            throw error;
          }
        },
        afterCommit: (action) => void actions.push(action),
      });
      open = false;
      if (failure) throw failure.error;
      await commit(connection);
      return { result, actions };
    } catch (error) {
      open = false;
      // The connection may be the thing that failed, and then there is nothing to roll back.
      await connection.unsafe("rollback").catch(() => {});
      throw error;
    }
  }

  const store: MetadataStore = {
    name: "postgres",
    read,
    async transaction(work, { durable = true }: TransactionOptions = {}) {
      const { result, actions } = await track(() => repeatedly(() => attempt(work, durable)));
      for (const action of actions) action();
      return result;
    },
    async close() {
      closed = true;
      const deadline = new AbortController();
      await Promise.race([
        Promise.allSettled(inFlight),
        options.clock.sleep(closeMilliseconds, deadline.signal),
      ]);
      deadline.abort();
      await Promise.all([transactions.close({ timeout: 0 }), reads.close({ timeout: 0 })]);
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

function connect(address: PostgresAddress, connectionsLimit: number): Bun.SQL {
  return new Bun.SQL({
    adapter: "postgres",
    hostname: address.host,
    port: address.port,
    username: address.user,
    password: address.password,
    database: address.database,
    tls: address.sslRootCertificate
      ? { ca: Bun.file(address.sslRootCertificate) }
      : address.sslMode,
    max: connectionsLimit,
    bigint: true,
    connectionTimeout: 10,
    connection: {
      application_name: "portolan",
      // A node that hangs or vanishes in the middle of a transaction holds the journal's counter:
      // the server ends its session, instead of every other node waiting for hours.
      idle_in_transaction_session_timeout: 60_000,
      tcp_keepalives_idle: 20,
      tcp_keepalives_interval: 5,
      tcp_keepalives_count: 4,
    },
  });
}

async function run<Row>(
  connection: Bun.SQL,
  sql: string,
  parameters: readonly SqlValue[],
): Promise<Row[]> {
  checkParameters(parameters);
  const values = parameters.map((value) =>
    // Always bigint: a number would be declared as integer or bigint by its size, and the server
    // would prepare the statement anew for every mixture.
    typeof value === "number" ? BigInt(value) : value,
  );
  const rows: Record<string, unknown>[] = await connection.unsafe(sql, values);
  for (const row of rows) {
    for (const column in row) {
      const value = row[column];
      if (typeof value === "bigint") row[column] = toNumber(value, column);
      else if (typeof value === "boolean") row[column] = value ? 1 : 0;
    }
  }
  return rows as Row[];
}

function toNumber(value: bigint, column: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new RangeError(`${column} is not a safe integer`);
  return number;
}

/** When the connection is lost here, nobody knows whether the commit happened. Never repeated. */
export class CommitUnknownError extends Error {
  override readonly name = "CommitUnknownError";
  constructor(cause: unknown) {
    super("the connection was lost during a commit, which may or may not have happened", { cause });
  }
}

async function commit(connection: Bun.SQL): Promise<void> {
  let answer: { command?: string };
  try {
    answer = await connection.unsafe("commit");
  } catch (error) {
    throw isConnectionLost(error) ? new CommitUnknownError(error) : error;
  }
  // The server answers a commit of a failed transaction with a rollback and no error.
  if (answer.command !== "COMMIT") throw new Error("the transaction was rolled back");
}

function isRepeatable(error: unknown): boolean {
  const state = sqlState(error);
  // serialization_failure, deadlock_detected
  return state === "40001" || state === "40P01" || isConnectionLost(error);
}

/**
 * The connection is gone, and with it the transaction. Class 57P: the server was stopped, crashed,
 * or is starting. https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
function isConnectionLost(error: unknown): boolean {
  const state = sqlState(error) ?? "";
  if (state.startsWith("57P0") || state.startsWith("08") || state === "25P03") return true;
  const code = error instanceof Bun.SQL.PostgresError ? error.code : "";
  return code === "ERR_POSTGRES_CONNECTION_CLOSED" || code === "ERR_POSTGRES_CONNECTION_REFUSED";
}

function sqlState(error: unknown): string | undefined {
  return error instanceof Bun.SQL.PostgresError ? error.errno : undefined;
}
