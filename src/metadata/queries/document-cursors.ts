/** Queries on how far this region has the documents of the other regions. */
import type { Queryable, Transaction } from "../metadata-store.ts";
import { holdName } from "./hold.ts";

export interface DocumentCursorRow {
  region: string;
  database_id: string;
  kinds: string;
  sequence: number;
  updated_at: number;
}

const columns = "region, database_id, kinds, sequence, updated_at";

export async function selectDocumentCursor(
  db: Queryable,
  region: string,
): Promise<DocumentCursorRow | undefined> {
  const rows = await db.all<DocumentCursorRow>(
    `select ${columns} from document_cursors where region = $1`,
    [region],
  );
  return rows[0];
}

/** The same, holding it until the transaction ends, also when there is none yet. */
export async function selectDocumentCursorForUpdate(
  tx: Transaction,
  region: string,
): Promise<DocumentCursorRow | undefined> {
  await holdName(tx, `document cursor ${region}`);
  return selectDocumentCursor(tx, region);
}

export async function upsertDocumentCursor(tx: Transaction, row: DocumentCursorRow): Promise<void> {
  await tx.all(
    `insert into document_cursors (${columns}) values ($1, $2, $3, $4, $5)
     on conflict (region) do update
     set database_id = excluded.database_id, kinds = excluded.kinds,
         sequence = excluded.sequence, updated_at = excluded.updated_at`,
    [row.region, row.database_id, row.kinds, row.sequence, row.updated_at],
  );
}
