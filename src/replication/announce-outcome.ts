/** The end of a replication in the journal, in the transaction that records it. */
import type { Transaction } from "../metadata/metadata-store.ts";
import type { ClaimedReplication } from "../metadata/queries/replications.ts";
import { announce } from "../registry/change.ts";
import type { RegistryContext } from "../registry/context.ts";
import { replicationActor } from "./actor.ts";

export interface ReplicationOutcomeDetail {
  readonly destination: { readonly region: string; readonly account: string };
  /** Of what has failed. */
  readonly failure?: { readonly code: string; readonly side: string; readonly text: string };
}

/**
 * The version of the tag is not among it: a reader that follows tags by their versions must not
 * take this for a change of one.
 * @param failure absent when the image has arrived
 */
export async function announceOutcome(
  context: RegistryContext,
  tx: Transaction,
  row: ClaimedReplication,
  failure?: { readonly code: string; readonly side: string; readonly text: string },
): Promise<void> {
  const detail: ReplicationOutcomeDetail = {
    destination: { region: row.destination_region, account: row.destination_account },
    ...(failure !== undefined && {
      failure: { code: failure.code, side: failure.side, text: failure.text },
    }),
  };
  await announce(context, tx, {
    kind: failure === undefined ? "replication_completed" : "replication_failed",
    account: row.account,
    repository: row.repository,
    repositoryId: row.repository_id,
    digest: row.digest,
    ...(row.tag !== "" && { tag: row.tag }),
    origin: context.region,
    actor: replicationActor(row.account, context.region),
    detail: { ...detail },
  });
}
