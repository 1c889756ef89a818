/** Queries on the sessions of the console. */
import type { Queryable, Transaction } from "../metadata-store.ts";

export interface ConsoleSessionRow {
  id: string;
  account: string;
  identity: string;
  access_key_id: string;
  session_token: string | null;
  secret_proof: string;
  role_access_key_id: string | null;
  role_session_token: string | null;
  created_at: number;
  expires_at: number;
  renewable_until: number;
}

const columns = `id, account, identity, access_key_id, session_token, secret_proof,
  role_access_key_id, role_session_token, created_at, expires_at, renewable_until`;

export async function insertConsoleSession(tx: Transaction, row: ConsoleSessionRow): Promise<void> {
  await tx.all(
    `insert into console_sessions (${columns})
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    [
      row.id,
      row.account,
      row.identity,
      row.access_key_id,
      row.session_token,
      row.secret_proof,
      row.role_access_key_id,
      row.role_session_token,
      row.created_at,
      row.expires_at,
      row.renewable_until,
    ],
  );
}

export async function selectConsoleSession(
  db: Queryable,
  id: string,
): Promise<ConsoleSessionRow | undefined> {
  const rows = await db.all<ConsoleSessionRow>(
    `select ${columns} from console_sessions where id = $1`,
    [id],
  );
  return rows[0];
}

export async function updateConsoleSessionExpiry(
  tx: Transaction,
  id: string,
  expiresAt: number,
): Promise<void> {
  await tx.all("update console_sessions set expires_at = $2 where id = $1", [id, expiresAt]);
}

/** Nulls when the role is left. */
export async function updateConsoleSessionRole(
  tx: Transaction,
  id: string,
  role: { accessKeyId: string; sessionToken: string } | undefined,
): Promise<void> {
  await tx.all(
    `update console_sessions set role_access_key_id = $2, role_session_token = $3 where id = $1`,
    [id, role?.accessKeyId ?? null, role?.sessionToken ?? null],
  );
}

export async function deleteConsoleSession(tx: Transaction, id: string): Promise<void> {
  await tx.all("delete from console_sessions where id = $1", [id]);
}

/** @returns how many there were */
export async function deleteConsoleSessionsOfIdentity(
  tx: Transaction,
  identity: string,
): Promise<number> {
  const rows = await tx.all("delete from console_sessions where identity = $1 returning id", [
    identity,
  ]);
  return rows.length;
}

/** What has expired, and of an identity all but its newest sessions. */
export async function deleteSurplusConsoleSessions(
  tx: Transaction,
  { now, identity, kept }: { now: number; identity: string; kept: number },
): Promise<void> {
  await tx.all("delete from console_sessions where expires_at <= $1", [now]);
  await tx.all(
    `delete from console_sessions where identity = $1 and id not in (
       select id from console_sessions where identity = $1
       order by created_at desc, id limit $2)`,
    [identity, kept],
  );
}
