/** Queries on the settings of an account's registry: named JSON documents. */
import type { Queryable, Transaction } from "../metadata-store.ts";

export async function selectSetting(
  db: Queryable,
  account: string,
  name: string,
): Promise<string | undefined> {
  const rows = await db.all<{ value: string }>(
    "select value from settings where account = $1 and name = $2",
    [account, name],
  );
  return rows[0]?.value;
}

export async function upsertSetting(
  tx: Transaction,
  account: string,
  name: string,
  value: string,
  now: number,
): Promise<void> {
  await tx.all(
    `insert into settings (account, name, value, updated_at) values ($1, $2, $3, $4)
     on conflict (account, name) do update
     set value = excluded.value, updated_at = excluded.updated_at`,
    [account, name, value, now],
  );
}
