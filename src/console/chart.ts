/** The chart as one account sees it. */
import {
  type LinkStatus,
  possibleLoss,
  type Route,
  replicationRoutes,
} from "../replication/routes.ts";
import type { ChartAnswer, ChartRoute } from "./api-types.ts";
import type { ConsoleServices } from "./endpoint.ts";

/** A destination that is so far behind is no longer flowing. */
const behindMilliseconds = 60_000;

export async function chartOf(
  services: Pick<ConsoleServices, "registry" | "replication" | "regions" | "clock">,
  account: string,
): Promise<ChartAnswer> {
  const { registry, replication, regions, clock } = services;
  const db = registry.metadata.read;
  const now = clock.now();
  const links: readonly LinkStatus[] = replication?.links() ?? [];
  const routes = await replicationRoutes(db, { account, now, links });
  const { oldestPushedAt, ...loss } = await possibleLoss(db, account);
  return {
    region: registry.region,
    at: now,
    regions,
    routes: routes.map(routeAnswer),
    loss: { ...loss, ...(oldestPushedAt !== undefined && { oldestPushedAt }) },
  };
}

function routeAnswer(route: Route): ChartRoute {
  const { link, registryId, lagMilliseconds, backlogImages, backlogBytes, failedImages } = route;
  const { images: sentImages, bytes: sentBytes } = link?.flow ?? { images: 0, bytes: 0 };
  return {
    region: route.region,
    account: registryId,
    hasRule: route.hasRule,
    state: stateOf(route),
    ...(link?.unreachableSince !== undefined && { unreachableSince: link.unreachableSince }),
    ...{ lagMilliseconds, backlogImages, backlogBytes, failedImages, sentImages, sentBytes },
  };
}

function stateOf({ link, backlogImages, lagMilliseconds }: Route): ChartRoute["state"] {
  if (link === undefined) return "unknown_region";
  if (link.unreachableSince !== undefined) return "unreachable";
  if (lagMilliseconds >= behindMilliseconds) return "behind";
  return backlogImages > 0 || link.flow.images > 0 ? "flowing" : "idle";
}
