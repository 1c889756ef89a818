/**
 * What a transaction hands to its `work`, the same for every driver: statements only while it is
 * open, and none behind a statement that failed.
 */
import type { Dialect, SqlValue, Transaction } from "./metadata-store.ts";

export interface TransactionScope {
  readonly tx: Transaction;
  /** Ends the scope. @throws the failure of a statement, also when `work` swallowed it */
  end(): void;
  /** Ends the scope of a transaction that has failed already; returns what its statement threw. */
  abandon(): unknown;
  /** Runs what `afterCommit` collected. */
  committed(): void;
}

export function transactionScope(
  dialect: Dialect,
  run: <Row>(sql: string, parameters: readonly SqlValue[]) => Promise<Row[]>,
): TransactionScope {
  const actions: (() => void)[] = [];
  let open = true;
  let failure: { readonly error: unknown } | undefined;
  return {
    tx: {
      dialect,
      async all<Row>(sql: string, parameters: readonly SqlValue[] = []) {
        if (!open) throw new Error("the transaction has ended");
        if (failure) throw failure.error;
        try {
          return await run<Row>(sql, parameters);
        } catch (error) {
          failure ??= { error };
          throw error;
        }
      },
      afterCommit: (action) => void actions.push(action),
    },
    end() {
      open = false;
      if (failure) throw failure.error;
    },
    abandon() {
      open = false;
      return failure?.error;
    },
    committed() {
      for (const action of actions) {
        try {
          action();
        } catch (error) {
          // The commit happened and its caller must learn that. The fault is not hidden: this goes
          // to the process's handler of uncaught errors.
          reportError(error);
        }
      }
    },
  };
}
