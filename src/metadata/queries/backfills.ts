/** Queries on backfills: what was pushed before its rule, on its way to a destination. */
import type { Queryable, Transaction } from "../metadata-store.ts";

export type BackfillStatus =
  | "PREPARING"
  | "IN_PROGRESS"
  | "STOPPING"
  | "COMPLETE"
  | "FAILED"
  | "STOPPED";

export interface BackfillRow {
  id: string;
  account: string;
  destination_region: string;
  destination_account: string;
  status: BackfillStatus;
  failure_code: string | null;
  /** 1 once `total` is final. */
  prepared: number;
  cursor_repository: string;
  cursor_digest: string;
  cursor_tag: string;
  total: number;
  completed: number;
  failed: number;
  /** Distinct, joined with commas. */
  failure_codes: string;
  started_at: number;
  ended_at: number | null;
}

const columns = `id, account, destination_region, destination_account, status, failure_code,
  prepared, cursor_repository, cursor_digest, cursor_tag, total, completed, failed, failure_codes,
  started_at, ended_at`;

const underWay = "status in ('PREPARING', 'IN_PROGRESS', 'STOPPING')";

export async function insertBackfill(
  tx: Transaction,
  backfill: {
    id: string;
    account: string;
    destinationRegion: string;
    destinationAccount: string;
    startedAt: number;
  },
): Promise<void> {
  await tx.all(
    `insert into backfills (${columns})
     values ($1, $2, $3, $4, 'PREPARING', null, 0, '', '', '', 0, 0, 0, '', $5, null)`,
    [
      backfill.id,
      backfill.account,
      backfill.destinationRegion,
      backfill.destinationAccount,
      backfill.startedAt,
    ],
  );
}

export async function selectBackfill(
  db: Queryable,
  account: string,
  id: string,
): Promise<BackfillRow | undefined> {
  const rows = await db.all<BackfillRow>(
    `select ${columns} from backfills where account = $1 and id = $2`,
    [account, id],
  );
  return rows[0];
}

/** Behind `after`, in the order of their ids. */
export function selectBackfills(
  db: Queryable,
  account: string,
  page: { after: string; limit: number },
): Promise<BackfillRow[]> {
  return db.all<BackfillRow>(
    `select ${columns} from backfills where account = $1 and id > $2 order by id limit $3`,
    [account, page.after, page.limit],
  );
}

/** Those of an account that have not ended. */
export function selectBackfillsOfAccountUnderWay(
  db: Queryable,
  account: string,
): Promise<BackfillRow[]> {
  return db.all<BackfillRow>(
    `select ${columns} from backfills where account = $1 and ${underWay} order by id`,
    [account],
  );
}

/** The ids of all that have not ended, whoever's they are. */
export async function selectBackfillsUnderWay(db: Queryable, limit: number): Promise<string[]> {
  const rows = await db.all<{ id: string }>(
    `select id from backfills where ${underWay} order by status, id limit $1`,
    [limit],
  );
  return rows.map(({ id }) => id);
}

/** Holds its row; undefined when another node holds it, or it has ended. */
export async function holdBackfill(tx: Transaction, id: string): Promise<BackfillRow | undefined> {
  const rows = await tx.all<BackfillRow>(
    `select ${columns} from backfills where id = $1 and ${underWay}
     ${tx.dialect.forUpdateSkipLocked}`,
    [id],
  );
  return rows[0];
}

/** Waits for whoever holds its row, and holds it. */
export async function selectBackfillForUpdate(
  tx: Transaction,
  account: string,
  id: string,
): Promise<BackfillRow | undefined> {
  const rows = await tx.all<BackfillRow>(
    `select ${columns} from backfills where account = $1 and id = $2 ${tx.dialect.forUpdate}`,
    [account, id],
  );
  return rows[0];
}

/** Writes everything that changes in the life of a backfill. */
export async function updateBackfill(tx: Transaction, row: BackfillRow): Promise<void> {
  await tx.all(
    `update backfills
     set status = $2, failure_code = $3, prepared = $4, cursor_repository = $5, cursor_digest = $6,
         cursor_tag = $7, total = $8, completed = $9, failed = $10, failure_codes = $11,
         ended_at = $12
     where id = $1`,
    [
      row.id,
      row.status,
      row.failure_code,
      row.prepared,
      row.cursor_repository,
      row.cursor_digest,
      row.cursor_tag,
      row.total,
      row.completed,
      row.failed,
      row.failure_codes,
      row.ended_at,
    ],
  );
}
