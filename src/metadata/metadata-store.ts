/**
 * Where a region keeps everything but blobs: a SQL database behind two members.
 *
 * The queries of `queries/` are written once, in the part of SQL that SQLite and PostgreSQL share:
 * parameters are `$1 … $n`, times are integers given as parameters, states are text, flags are 0
 * and 1. What still differs is the `Dialect`.
 * `tests/contract/metadata-store.ts` is the specification that every driver passes.
 */

export type SqlValue = string | number | Uint8Array | null;

export interface Dialect {
  /** Put behind a `select` to hold its rows until the transaction ends. */
  readonly forUpdate: "" | "for update";
  /** The same, passing over rows that another transaction holds. */
  readonly forUpdateSkipLocked: "" | "for update skip locked";
  /**
   * A statement that holds the name `$1` until the transaction ends, whether or not a row of that
   * name exists; empty where transactions run one at a time. See `queries/hold.ts`.
   */
  readonly holdName: string;
}

/** Integers come back as numbers, bytes as Uint8Array, absent values as null. */
export interface Queryable {
  readonly dialect: Dialect;
  all<Row>(sql: string, parameters?: readonly SqlValue[]): Promise<Row[]>;
}

/** Every write goes through one of these, so that a change cannot be made without its journal row. */
export interface Transaction extends Queryable {
  /** Runs after the commit is durable, in order; for wake-ups and caches, never for state. */
  afterCommit(action: () => void): void;
}

export interface TransactionOptions {
  /**
   * False lets the result be reported before it would survive a power cut (it does survive the
   * death of the process). For what no client was promised: upload sessions, leases.
   */
  readonly durable?: boolean;
}

export interface MetadataStore {
  /** For logs and metrics only; never branch on it. */
  readonly name: string;
  /** Committed state. Never call it inside a transaction: use the transaction. */
  readonly read: Queryable;
  /**
   * All of `work` or nothing. Resolves when the result is durable. `work` may run more than once
   * (PostgreSQL can ask for a repetition), so its effects outside the database must bear that.
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T>;
  close(): Promise<void>;
}
