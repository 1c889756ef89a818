/** How far each destination is behind. */
import type { Queryable } from "../metadata/metadata-store.ts";
import { selectDestinationBacklogs } from "../metadata/queries/destination-backlogs.ts";
import type { Destination } from "./configuration.ts";

export interface DestinationLag extends Destination {
  /** Age of the oldest image that has not arrived; 0 without backlog. */
  readonly lagMilliseconds: number;
  readonly backlogImages: number;
  /** At most so many bytes of blobs are still to be sent. */
  readonly backlogBytes: number;
  /** Images that will not arrive without an operator or a new push. */
  readonly failedImages: number;
}

/** @param destinations listed also when nothing is behind, as those of the configuration should be */
export async function destinationLags(
  db: Queryable,
  now: number,
  destinations: readonly Destination[] = [],
): Promise<DestinationLag[]> {
  const lags = new Map<string, DestinationLag>();
  for (const { region, registryId } of destinations) {
    const none = { lagMilliseconds: 0, backlogImages: 0, backlogBytes: 0, failedImages: 0 };
    lags.set(`${region}/${registryId}`, { region, registryId, ...none });
  }
  for (const row of await selectDestinationBacklogs(db)) {
    const region = row.destination_region;
    const registryId = row.destination_account;
    lags.set(`${region}/${registryId}`, {
      region,
      registryId,
      lagMilliseconds:
        row.oldest_created_at === null ? 0 : Math.max(0, now - row.oldest_created_at),
      backlogImages: row.pending,
      backlogBytes: row.bytes_remaining,
      failedImages: row.failed,
    });
  }
  return [...lags.values()];
}
