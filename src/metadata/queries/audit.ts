/** Queries on the audit. */
import type { Queryable, SqlValue, Transaction } from "../metadata-store.ts";

export interface AuditBlockRow {
  /** Milliseconds since the epoch. */
  last_at: number;
  id: string;
  first_at: number;
  calls: number;
  denied: number;
  /** ARNs, each between line breaks. */
  principals: string;
  encoding: string;
  lines: Uint8Array;
}

const columns = "last_at, id, first_at, calls, denied, principals, encoding, lines";

export async function insertAuditBlock(tx: Transaction, row: AuditBlockRow): Promise<void> {
  await tx.all(`insert into audit_blocks (${columns}) values ($1, $2, $3, $4, $5, $6, $7, $8)`, [
    row.last_at,
    row.id,
    row.first_at,
    row.calls,
    row.denied,
    row.principals,
    row.encoding,
    row.lines,
  ]);
}

export interface AuditBlockPage {
  /** Blocks behind this one, in the order of (last_at, id). */
  readonly after: { readonly lastAt: number; readonly id: string };
  /** Blocks with a call at this time or before it. */
  readonly until?: number;
  /** Only blocks with a refusal. */
  readonly denied: boolean;
  /** Only blocks with a call of this principal. */
  readonly principal?: string;
  readonly limit: number;
}

export function selectAuditBlocks(db: Queryable, page: AuditBlockPage): Promise<AuditBlockRow[]> {
  const parameters: SqlValue[] = [page.after.lastAt, page.after.id, page.limit];
  const conditions = ["(last_at, id) > ($1, $2)"];
  const add = (condition: (name: string) => string, value: SqlValue) => {
    parameters.push(value);
    conditions.push(condition(`$${parameters.length}`));
  };
  if (page.denied) conditions.push("denied > 0");
  if (page.until !== undefined) add((name) => `first_at <= ${name}`, page.until);
  if (page.principal !== undefined) {
    const escaped = page.principal.replace(/[\\%_]/g, "\\$&");
    add((name) => `principals like ${name} escape '\\'`, `%\n${escaped}\n%`);
  }
  return db.all<AuditBlockRow>(
    `select ${columns} from audit_blocks where ${conditions.join(" and ")}
     order by last_at, id limit $3`,
    parameters,
  );
}

/**
 * Deletes some blocks whose calls are all older than `before`.
 * @returns how many
 */
export async function deleteAuditBlocks(
  tx: Transaction,
  before: number,
  limit: number,
): Promise<number> {
  const rows = await tx.all<{ id: string }>(
    `delete from audit_blocks where (last_at, id) in
       (select last_at, id from audit_blocks where last_at < $1 order by last_at, id limit $2)
     returning id`,
    [before, limit],
  );
  return rows.length;
}
