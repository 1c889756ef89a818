/** Queries on the journal. */
import type { Queryable, Transaction } from "../metadata-store.ts";
import { nextCounterValue } from "./counters.ts";

export interface ChangeRow {
  sequence: number;
  at: number;
  kind: string;
  account: string;
  repository: string;
  digest: string | null;
  tag: string | null;
  clock: string | null;
  origin: string;
  actor: string;
  detail: string | null;
}

export async function insertChange(
  tx: Transaction,
  change: Omit<ChangeRow, "sequence">,
): Promise<number> {
  const sequence = await nextCounterValue(tx, "changes");
  await tx.all(
    `insert into changes
       (sequence, at, kind, account, repository, digest, tag, clock, origin, actor, detail)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    [
      sequence,
      change.at,
      change.kind,
      change.account,
      change.repository,
      change.digest,
      change.tag,
      change.clock,
      change.origin,
      change.actor,
      change.detail,
    ],
  );
  return sequence;
}

/** The changes behind `after`, oldest first. */
export function selectChanges(db: Queryable, after: number, limit: number): Promise<ChangeRow[]> {
  return db.all<ChangeRow>(
    `select sequence, at, kind, account, repository, digest, tag, clock, origin, actor, detail
     from changes where sequence > $1 order by sequence limit $2`,
    [after, limit],
  );
}

/** The sequence of the newest change; 0 when there is none. */
export async function selectLastChangeSequence(db: Queryable): Promise<number> {
  const rows = await db.all<{ last: number | null }>("select max(sequence) as last from changes");
  return rows[0]?.last ?? 0;
}

/** Changes of documents behind `after` and up to `last`, oldest first. */
export function selectDocumentChanges(
  db: Queryable,
  after: number,
  last: number,
  limit: number,
): Promise<Pick<ChangeRow, "sequence" | "account" | "detail">[]> {
  return db.all(
    `select sequence, account, detail from changes
     where sequence > $1 and sequence <= $2 and kind in ('document_set', 'document_deleted')
     order by sequence limit $3`,
    [after, last, limit],
  );
}
