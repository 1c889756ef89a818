/** The routes from this region, as one account sees them, and what hangs on them. */
import type { Queryable } from "../metadata/metadata-store.ts";
import {
  countRepositoriesOutside,
  selectRouteBacklogs,
  selectUnreplicated,
} from "../metadata/queries/replication-routes.ts";
import type { Destination } from "./configuration.ts";
import { getReplicationConfiguration, type ReplicationConfiguration } from "./configuration.ts";
import type { Flow } from "./flow.ts";

/** What is known of a way to a region. */
export interface LinkStatus {
  readonly region: string;
  /** Since when it is treated as out of reach; undefined while it is not. */
  readonly unreachableSince: number | undefined;
  readonly flow: Flow;
}

export interface Route extends Destination {
  /** A rule of now names it. */
  readonly hasRule: boolean;
  /** Undefined: the chart does not have the region. */
  readonly link: LinkStatus | undefined;
  /** Age of the oldest image that has not arrived; 0 without backlog. */
  readonly lagMilliseconds: number;
  readonly backlogImages: number;
  readonly backlogBytes: number;
  readonly failedImages: number;
}

/** What would be gone if the region died now. */
export interface PossibleLoss {
  readonly images: number;
  /** At most so many. */
  readonly bytes: number;
  readonly oldestPushedAt: number | undefined;
  /** Repositories with images that no rule takes. */
  readonly repositoriesWithoutRule: number;
}

export async function replicationRoutes(
  db: Queryable,
  { account, now, links }: { account: string; now: number; links: readonly LinkStatus[] },
): Promise<Route[]> {
  const configuration = await getReplicationConfiguration(db, account);
  const routes = new Map<string, Route>();
  const linkOf = (region: string) => links.find((link) => link.region === region);
  for (const { destinations } of configuration.rules) {
    for (const { region, registryId } of destinations) {
      routes.set(`${region}/${registryId}`, {
        ...{ region, registryId, hasRule: true, link: linkOf(region) },
        ...{ lagMilliseconds: 0, backlogImages: 0, backlogBytes: 0, failedImages: 0 },
      });
    }
  }
  for (const row of await selectRouteBacklogs(db, account)) {
    const region = row.destination_region;
    const registryId = row.destination_account;
    const key = `${region}/${registryId}`;
    routes.set(key, {
      region,
      registryId,
      hasRule: routes.has(key),
      link: linkOf(region),
      lagMilliseconds:
        row.oldest_created_at === null ? 0 : Math.max(0, now - row.oldest_created_at),
      backlogImages: row.pending,
      backlogBytes: row.bytes_remaining,
      failedImages: row.failed,
    });
  }
  return [...routes.values()];
}

export async function possibleLoss(db: Queryable, account: string): Promise<PossibleLoss> {
  const { images, bytes, oldest_created_at } = await selectUnreplicated(db, account);
  const prefixes = prefixesOf(await getReplicationConfiguration(db, account));
  return {
    images,
    bytes,
    oldestPushedAt: oldest_created_at ?? undefined,
    repositoriesWithoutRule:
      prefixes === "all" ? 0 : await countRepositoriesOutside(db, account, prefixes),
  };
}

function prefixesOf({ rules }: ReplicationConfiguration): readonly string[] | "all" {
  const prefixes: string[] = [];
  for (const { destinations, repositoryFilters } of rules) {
    if (destinations.length === 0) continue;
    if (repositoryFilters === undefined) return "all";
    // Filters of our own take a part of what a name stands for: counted as nothing, so that the
    // figure is never better than the truth.
    const plain = repositoryFilters.every(({ filterType }) => filterType === "PREFIX_MATCH");
    if (plain) prefixes.push(...repositoryFilters.map(({ filter }) => filter));
  }
  return [...new Set(prefixes)];
}
