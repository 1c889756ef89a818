/** Queries on access keys. The secret is here only as it was encrypted. */
import type { Queryable, Transaction } from "../metadata-store.ts";

export interface AccessKeyRow {
  id: string;
  account: string;
  /** ARN of the principal that the key acts as. */
  principal: string;
  secret: Uint8Array;
  source: string;
  status: string;
  created_at: number;
}

export async function selectAccessKey(
  db: Queryable,
  id: string,
): Promise<AccessKeyRow | undefined> {
  const rows = await db.all<AccessKeyRow>(
    `select id, account, principal, secret, source, status, created_at
     from access_keys where id = $1`,
    [id],
  );
  return rows[0];
}

/** The keys of a principal, oldest first. */
export function selectAccessKeysOfPrincipal(
  db: Queryable,
  principal: string,
): Promise<AccessKeyRow[]> {
  return db.all<AccessKeyRow>(
    `select id, account, principal, secret, source, status, created_at
     from access_keys where principal = $1 order by created_at, id`,
    [principal],
  );
}

/** Adds a key, or replaces everything but the age of one that is there. */
export async function upsertAccessKey(tx: Transaction, key: AccessKeyRow): Promise<void> {
  await tx.all(
    `insert into access_keys (id, account, principal, secret, source, status, created_at)
     values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (id) do update
     set account = excluded.account, principal = excluded.principal, secret = excluded.secret,
         source = excluded.source, status = excluded.status`,
    [key.id, key.account, key.principal, key.secret, key.source, key.status, key.created_at],
  );
}

export async function updateAccessKeyStatus(
  tx: Transaction,
  id: string,
  status: string,
): Promise<void> {
  await tx.all("update access_keys set status = $2 where id = $1", [id, status]);
}
