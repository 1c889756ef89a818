/** Replication as an operator sees it: every destination, and what would be lost. */
import type { Queryable } from "../metadata/metadata-store.ts";
import { selectDestinationStates } from "../metadata/queries/replication-destinations.ts";
import {
  selectFailureGroups,
  selectImagesAtRisk,
} from "../metadata/queries/replication-steering.ts";
import { selectReplicatingAccounts } from "../metadata/queries/verification.ts";
import { allDestinations, type Destination, getReplicationConfiguration } from "./configuration.ts";
import { type DestinationLag, destinationLags } from "./destination-lag.ts";
import { type Rate, replicationRates } from "./rates.ts";
import {
  type StoredVerification,
  storedVerifications,
} from "./verification/stored-verifications.ts";

export type DestinationState =
  | { readonly state: "up" }
  | { readonly state: "paused"; readonly since: number; readonly by: string }
  | {
      readonly state: "unreachable";
      readonly since: number;
      readonly code: string;
      readonly text: string;
    };

export interface DestinationStatus extends DestinationLag {
  readonly state: DestinationState;
  /** To the region, for all its accounts, over the last minute. */
  readonly rate: Rate;
  /** Until the backlog is gone at this rate; undefined when nothing moves, 0 without backlog. */
  readonly etaMilliseconds: number | undefined;
  /** Images that have failed or are tried again after a failure, by code. */
  readonly failures: Readonly<Record<string, number>>;
  /** The newest comparison, of the account's own rules. */
  readonly verification: StoredVerification | undefined;
}

export interface ReplicationOverview {
  readonly region: string;
  readonly at: number;
  readonly destinations: readonly DestinationStatus[];
  /** What rules send and no other region has: it would be lost with this region. */
  readonly atRisk: {
    readonly images: number;
    /** At most. */
    readonly bytes: number;
    readonly oldestMilliseconds: number;
  };
}

export async function replicationOverview(
  db: Queryable,
  region: string,
  now: number,
): Promise<ReplicationOverview> {
  const lags = await destinationLags(db, now, await configuredDestinations(db));
  const states = new Map((await selectDestinationStates(db)).map((row) => [row.region, row]));
  const rates = await replicationRates(db, now);
  const failures = await selectFailureGroups(db);
  const verifications = await storedVerifications(db);
  const atRisk = await selectImagesAtRisk(db, region);
  const backlogs = new Map<string, { images: number; bytes: number }>();
  for (const lag of lags) {
    const sum = backlogs.get(lag.region) ?? { images: 0, bytes: 0 };
    backlogs.set(lag.region, {
      images: sum.images + lag.backlogImages,
      bytes: sum.bytes + lag.backlogBytes,
    });
  }
  const destinations = lags.map((lag): DestinationStatus => {
    const rate = rates.get(lag.region) ?? { imagesPerSecond: 0, bytesPerSecond: 0 };
    const backlog = backlogs.get(lag.region) ?? { images: 0, bytes: 0 };
    const codes: Record<string, number> = {};
    for (const group of failures) {
      if (!isOf(group, lag)) continue;
      codes[group.code] = (codes[group.code] ?? 0) + group.images;
    }
    return {
      ...lag,
      state: stateOf(states.get(lag.region)),
      rate,
      etaMilliseconds: eta(backlog, rate),
      failures: codes,
      verification: verifications.find(
        ({ destination }) =>
          destination.region === lag.region && destination.registryId === lag.registryId,
      ),
    };
  });
  return {
    region,
    at: now,
    destinations: destinations.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)),
    atRisk: {
      images: atRisk.images,
      bytes: atRisk.bytes,
      oldestMilliseconds:
        atRisk.oldest_pushed_at === null ? 0 : Math.max(0, now - atRisk.oldest_pushed_at),
    },
  };
}

const nameOf = ({ region, registryId }: Destination) => `${region}/${registryId}`;

function isOf(
  group: { destination_region: string; destination_account: string },
  { region, registryId }: Destination,
): boolean {
  return group.destination_region === region && group.destination_account === registryId;
}

/** Of all accounts. */
async function configuredDestinations(db: Queryable): Promise<Destination[]> {
  const destinations: Destination[] = [];
  for (const account of await selectReplicatingAccounts(db)) {
    destinations.push(...allDestinations(await getReplicationConfiguration(db, account)));
  }
  return destinations;
}

function stateOf(
  row: Awaited<ReturnType<typeof selectDestinationStates>>[number] | undefined,
): DestinationState {
  if (row !== undefined && row.paused_at !== null) {
    return { state: "paused", since: row.paused_at, by: row.paused_by ?? "" };
  }
  if (row !== undefined && row.unreachable_since !== null) {
    const { unreachable_since: since, unreachable_code: code, unreachable_text: text } = row;
    return { state: "unreachable", since, code: code ?? "", text: text ?? "" };
  }
  return { state: "up" };
}

/** The longer of the two: by images and by bytes. */
function eta(
  backlog: { images: number; bytes: number },
  { imagesPerSecond, bytesPerSecond }: Rate,
): number | undefined {
  if (backlog.images === 0) return 0;
  const byImages = imagesPerSecond > 0 ? backlog.images / imagesPerSecond : undefined;
  const byBytes = bytesPerSecond > 0 ? backlog.bytes / bytesPerSecond : undefined;
  if (byImages === undefined && byBytes === undefined) return undefined;
  return Math.round(Math.max(byImages ?? 0, byBytes ?? 0) * 1000);
}
