/** Queries on replications that a destination refuses as things are. */
import type { Transaction } from "../metadata-store.ts";
import { placeholders } from "./blobs.ts";
import type { RecordedFailure } from "./replications.ts";

/**
 * A refusal is of a repository: what else of it is due there need not ask, waits as long and says
 * why. What runs, and what belongs to a backfill, goes on by itself.
 */
export async function postponeRefused(
  tx: Transaction,
  refused: {
    repositoryId: number;
    destinationRegion: string;
    destinationAccount: string;
    dueAt: number;
  },
  { code, side, text, now }: Omit<RecordedFailure, "bytesSent">,
): Promise<void> {
  await tx.all(
    `update replications
     set due_at = $4, failure_code = $5, failure_side = $6, failure_text = $7, failed_at = $8
     where state = 'pending' and destination_region = $1 and destination_account = $2
       and repository_id = $3 and backlog = 0 and due_at <= $8 and lease_until <= $8`,
    [
      refused.destinationRegion,
      refused.destinationAccount,
      refused.repositoryId,
      refused.dueAt,
      code,
      side,
      text,
      now,
    ],
  );
}

/** Something has changed at a destination: what it has refused is due now. */
export async function hastenRefused(
  tx: Transaction,
  destination: { region: string; account: string; now: number; codes: readonly string[] },
): Promise<void> {
  const { region, account, now, codes } = destination;
  await tx.all(
    `update replications set due_at = $3
     where state = 'pending' and destination_region = $1 and destination_account = $2
       and due_at > $3 and lease_until <= $3
       and failure_code in (${placeholders(codes.length, 4)})`,
    [region, account, now, ...codes],
  );
}
