/** One connection to a SQLite file, with its prepared statements. */
import { Database, type Statement } from "bun:sqlite";
import type { SqlValue } from "./metadata-store.ts";
import { checkParameters } from "./parameters.ts";

/**
 * Statements kept prepared. Lists of different lengths make many texts of one query, and
 * `Database.query` itself stops caching after twenty of them.
 */
const statementsLimit = 500;

export interface SqliteConnection {
  readonly inTransaction: boolean;
  all<Row>(sql: string, parameters: readonly SqlValue[]): Row[];
  /** A statement without parameters or result; not cached. */
  run(sql: string): void;
  close(): void;
}

/** @param busyMilliseconds how long to wait, blocking, while another process opens or closes it */
export function openConnection(path: string, busyMilliseconds: number): SqliteConnection {
  const database = new Database(path, { create: true, strict: true });
  database.run(`pragma busy_timeout = ${busyMilliseconds}`);
  database.run("pragma journal_mode = wal");
  // From here on nobody blocks the event loop by waiting: see `patiently`.
  database.run("pragma busy_timeout = 0");
  database.run("pragma synchronous = normal");
  database.run("pragma cache_size = -16384");
  database.run("pragma temp_store = memory");
  // Least recently used first.
  const statements = new Map<string, Statement<unknown, SqlValue[]>>();

  function prepared(sql: string): Statement<unknown, SqlValue[]> {
    let statement = statements.get(sql);
    if (statement === undefined) {
      // SQLite numbers its parameters `?1`; the queries are written with `$1`.
      statement = database.prepare(sql.replace(/\$(\d+)/g, "?$1"));
      if (statements.size >= statementsLimit) evictOldest();
    } else {
      statements.delete(sql);
    }
    statements.set(sql, statement);
    return statement;
  }

  function evictOldest() {
    for (const [sql, statement] of statements) {
      statements.delete(sql);
      statement.finalize();
      return;
    }
  }

  return {
    get inTransaction() {
      return database.inTransaction;
    },
    all<Row>(sql: string, parameters: readonly SqlValue[]) {
      checkParameters(parameters);
      return prepared(sql).all(...parameters) as Row[];
    },
    run: (sql) => void database.run(sql),
    close() {
      for (const statement of statements.values()) statement.finalize();
      database.close();
    },
  };
}

/** Repeats `attempt` while another process holds the lock it needs; the event loop runs on. */
export async function patiently<T>(attempt: () => T, busyMilliseconds: number): Promise<T> {
  const pauseMilliseconds = 5;
  for (let waited = 0; ; waited += pauseMilliseconds) {
    try {
      return attempt();
    } catch (error) {
      if (!isBusy(error) || waited >= busyMilliseconds) throw error;
      await Bun.sleep(pauseMilliseconds);
    }
  }
}

function isBusy(error: unknown): boolean {
  return ((error as { code?: string }).code ?? "").startsWith("SQLITE_BUSY");
}
