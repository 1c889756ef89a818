/** What an operator does about failures: sees them by cause, and has them tried again. */
import type { Queryable } from "../metadata/metadata-store.ts";
import {
  type ReplicationSelection,
  reviveReplications,
  selectFailureExamples,
  selectFailureGroups,
} from "../metadata/queries/replication-steering.ts";
import type { RegistryContext } from "../registry/context.ts";
import type { Destination } from "./configuration.ts";

export interface FailureExample {
  readonly id: string;
  /** `account/repository:tag`, or with `@digest`. */
  readonly image: string;
  readonly attempts: number;
  readonly text: string;
}

export interface FailureGroup {
  readonly destination: Destination;
  readonly code: string;
  readonly side: string;
  /** `pending` is tried again by itself. */
  readonly state: "pending" | "failed";
  readonly images: number;
  readonly firstPushedAt: number;
  readonly lastFailedAt: number;
  /** Some of the images. */
  readonly examples: readonly FailureExample[];
}

const examplesLimit = 5;

export async function replicationFailures(db: Queryable): Promise<FailureGroup[]> {
  const groups: FailureGroup[] = [];
  for (const row of await selectFailureGroups(db)) {
    const examples = await selectFailureExamples(db, row, examplesLimit);
    groups.push({
      destination: { region: row.destination_region, registryId: row.destination_account },
      code: row.code,
      side: row.side,
      state: row.state,
      images: row.images,
      firstPushedAt: row.first_pushed_at,
      lastFailedAt: row.last_failed_at,
      examples: examples.map(({ id, account, repository, tag, digest, attempts, text }) => ({
        id,
        image: `${account}/${repository}${tag === "" ? `@${digest}` : `:${tag}`}`,
        attempts,
        text,
      })),
    });
  }
  return groups;
}

/** Makes due at once what has failed for good and what waits after a failure. @returns how many */
export function retryReplications(
  { metadata, clock }: RegistryContext,
  selection: ReplicationSelection,
): Promise<number> {
  return metadata.transaction((tx) => reviveReplications(tx, selection, clock.now()));
}
