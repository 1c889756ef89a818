/** Replication of a region, built from its configuration: keys, chart, settings and metrics. */

import type { Access } from "./access/access.ts";
import { accountExists } from "./access/account-existence.ts";
import { replicationConsent } from "./access/replication-consent.ts";
import { StartError } from "./open-registry.ts";
import { openFleet, type RegionFleet } from "./region-fleet.ts";
import { chartRegistries } from "./region-registries.ts";
import type { RegistryContext } from "./registry/context.ts";
import type { ReplicationConfigurationLimits } from "./replication/configuration.ts";
import { type ReplicationLog, silentLog } from "./replication/log.ts";
import type { Meter } from "./replication/metrics.ts";
import {
  type ReplicationOptions,
  type RunningReplication,
  startReplication,
} from "./replication/start-replication.ts";
import type { Configuration } from "./runtime/configuration-entries.ts";
import { type Metrics, metricsRegistry } from "./runtime/metrics.ts";

export interface RegionReplicationOptions {
  readonly configuration: Configuration;
  readonly context: RegistryContext;
  readonly access: Access;
  readonly fleet: RegionFleet;
  readonly metrics: Metrics;
  readonly logger: ReplicationLog;
}

/** Undefined when the configuration has no chart: a region alone has nowhere to replicate to. */
export async function openReplication({
  access,
  ...options
}: RegionReplicationOptions): Promise<RunningReplication | undefined> {
  const consent = replicationConsent({ ...options.context, access });
  return openEngine({ ...options, consent });
}

/** For commands: asks other regions, and neither replicates nor receives. @throws without a chart */
export async function openCommandReplication(
  configuration: Configuration,
  context: RegistryContext,
): Promise<RunningReplication> {
  const replication = await openEngine({
    configuration,
    context,
    fleet: await openFleet({ configuration, context, logger: silentLog }),
    consent: () => Promise.reject(new Error("a command receives nothing")),
    metrics: metricsRegistry(),
    logger: silentLog,
  });
  if (replication === undefined) {
    throw new StartError("the configuration has no chart, so there are no other regions");
  }
  return replication;
}

interface EngineOptions extends Omit<RegionReplicationOptions, "access"> {
  readonly consent: ReplicationOptions["consent"];
}

async function openEngine({
  configuration,
  context,
  fleet,
  consent,
  metrics,
  logger,
}: EngineOptions): Promise<RunningReplication | undefined> {
  const { replication } = configuration;
  if (configuration.chart.length === 0) return undefined;
  return startReplication({
    context,
    chart: fleet.chart,
    registries: chartRegistries(configuration, context.clock),
    regionKey: () => fleet.keys(),
    documents: fleet.documents,
    fetch: (url, init) => fetch(url, init),
    knowsAccount: (account) => accountExists(context.metadata.read, account),
    consent,
    // A data directory belongs to one process; a database may be shared by several nodes.
    soleWorker: configuration.metadata.driver === "sqlite",
    settings: {
      backOff: {
        firstMilliseconds: replication.retryInitial.milliseconds,
        limitMilliseconds: replication.retryMaximum.milliseconds,
      },
      images: { quick: replication.concurrency * 4, bulk: replication.concurrency },
    },
    meter: meterOf(metrics),
    log: logger,
  });
}

/** How large a replication configuration may be. */
export function replicationLimits({ replication }: Configuration): ReplicationConfigurationLimits {
  return {
    rules: replication.rulesLimit,
    destinationsPerRule: replication.destinationsPerRuleLimit,
    uniqueDestinations: replication.destinationsLimit,
    filtersPerRule: replication.filtersPerRuleLimit,
  };
}

/** The replication folder knows no metrics registry; its names already have the prefix. */
function meterOf(metrics: Metrics): Meter {
  const unprefixed = (name: string) => name.replace(/^portolan_/, "");
  return {
    counter(description) {
      const family = metrics.counter({ ...description, name: unprefixed(description.name) });
      return { add: (value, labels) => family.series(labels).add(value) };
    },
    gauge(description) {
      const family = metrics.gauge({ ...description, name: unprefixed(description.name) });
      return { set: (value, labels) => family.series(labels).set(value) };
    },
    histogram(description) {
      const family = metrics.histogram({ ...description, name: unprefixed(description.name) });
      return { observe: (value, labels) => family.series(labels).observe(value) };
    },
  };
}
