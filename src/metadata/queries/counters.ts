/**
 * Counters that are as transactional as everything else. The row stays held until the commit, so
 * the order of values is the order of commits, on both engines.
 */
import type { Transaction } from "../metadata-store.ts";

export async function nextCounterValue(
  tx: Transaction,
  name: "changes" | "repositories",
): Promise<number> {
  const rows = await tx.all<{ value: number }>(
    `insert into counters (name, value) values ($1, 1)
     on conflict (name) do update set value = counters.value + 1
     returning value`,
    [name],
  );
  const row = rows[0];
  if (row === undefined) throw new Error("the counter did not return a value");
  return row.value;
}
