/** Queries on the newest comparison with each destination. */
import type { Queryable, Transaction } from "../metadata-store.ts";

export interface VerificationRow {
  account: string;
  destination_region: string;
  destination_account: string;
  finished_at: number;
  /** JSON. */
  outcome: string;
}

export async function upsertVerification(tx: Transaction, row: VerificationRow): Promise<void> {
  await tx.all(
    `insert into replication_verifications
       (account, destination_region, destination_account, finished_at, outcome)
     values ($1, $2, $3, $4, $5)
     on conflict (account, destination_region, destination_account) do update
     set finished_at = excluded.finished_at, outcome = excluded.outcome`,
    [row.account, row.destination_region, row.destination_account, row.finished_at, row.outcome],
  );
}

export function selectVerifications(db: Queryable): Promise<VerificationRow[]> {
  return db.all<VerificationRow>(
    `select account, destination_region, destination_account, finished_at, outcome
     from replication_verifications
     order by account, destination_region, destination_account`,
  );
}
