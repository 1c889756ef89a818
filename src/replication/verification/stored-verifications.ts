/** The newest comparison with each destination, kept for those who look. */

import type { Queryable } from "../../metadata/metadata-store.ts";
import {
  selectVerifications,
  upsertVerification,
} from "../../metadata/queries/replication-verifications.ts";
import type { RegistryContext } from "../../registry/context.ts";
import type { Destination } from "../configuration.ts";
import type { VerificationReport } from "./verify-destination.ts";

export type VerificationOutcome =
  | { readonly report: VerificationReport }
  /** There is no report: the destination did not answer, for example. */
  | { readonly failure: { readonly code: string; readonly text: string } };

export interface StoredVerification {
  readonly account: string;
  readonly destination: Destination;
  readonly finishedAt: number;
  readonly outcome: VerificationOutcome;
}

/** So many of the differences are kept; all are counted. */
const keptDifferencesLimit = 200;

export async function storeVerification(
  { metadata, clock }: RegistryContext,
  account: string,
  destination: Destination,
  outcome: VerificationOutcome,
): Promise<void> {
  const kept: VerificationOutcome =
    "report" in outcome
      ? {
          report: {
            ...outcome.report,
            differences: outcome.report.differences.slice(0, keptDifferencesLimit),
            truncated:
              outcome.report.truncated || outcome.report.differences.length > keptDifferencesLimit,
          },
        }
      : outcome;
  await metadata.transaction((tx) =>
    upsertVerification(tx, {
      account,
      destination_region: destination.region,
      destination_account: destination.registryId,
      finished_at: clock.now(),
      outcome: JSON.stringify(kept),
    }),
  );
}

export async function storedVerifications(db: Queryable): Promise<StoredVerification[]> {
  const rows = await selectVerifications(db);
  return rows.map((row) => ({
    account: row.account,
    destination: { region: row.destination_region, registryId: row.destination_account },
    finishedAt: row.finished_at,
    // Only storeVerification writes it.
    outcome: JSON.parse(row.outcome) as VerificationOutcome,
  }));
}
