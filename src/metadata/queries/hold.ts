/** Holding a name instead of a row. */
import type { Transaction } from "../metadata-store.ts";

/**
 * Holds a name until the transaction ends. For what may not exist yet: `for update` finds no row
 * then, and two transactions would both believe that they are the first.
 */
export async function holdName(tx: Transaction, name: string): Promise<void> {
  if (tx.dialect.holdName !== "") await tx.all(tx.dialect.holdName, [name]);
}
