/** Puts the parts of replication together, for `main` and for tests. */
import type { ReplicationConsent } from "../access/replication-consent.ts";
import type { ChangeObserver, RegistryContext } from "../registry/context.ts";
import type { Handler } from "../runtime/request.ts";
import { backfillWork } from "./backfill-work.ts";
import type { Chart, ChartRegion } from "./chart.ts";
import type { Destination } from "./configuration.ts";
import { type DestinationLag, destinationLags } from "./destination-lag.ts";
import { replicationEndpoint } from "./endpoint.ts";
import { ReplicationFailure } from "./failure.ts";
import { flowMeter } from "./flow.ts";
import type { Fetch } from "./http-exchange.ts";
import { httpPeer } from "./http-peer.ts";
import { lagGauges } from "./lag-gauges.ts";
import { link } from "./link.ts";
import { localPeer } from "./local-peer.ts";
import { type ReplicationLog, silentLog } from "./log.ts";
import { type Meter, noMeter, replicationMetrics } from "./metrics.ts";
import { replicationObserver } from "./observer.ts";
import { ociPeer } from "./oci/oci-peer.ts";
import type { OciRegistry } from "./oci/registry.ts";
import { registryTag } from "./oci/registry-tag.ts";
import type { Peer } from "./peer.ts";
import { rateTally } from "./rates.ts";
import { type Receiver, receiver } from "./receiver.ts";
import { type RegionKey, regionTokens, regionTokenVerifier } from "./region-token.ts";
import type { LinkStatus } from "./routes.ts";
import { defaultReplicationSettings, type ReplicationSettings } from "./settings.ts";
import { registryLeaves } from "./verification/registry-leaves.ts";
import {
  type VerificationReport,
  type VerifyOptions,
  verifyDestination,
} from "./verification/verify-destination.ts";
import { type ReplicationWorker, replicationWorker } from "./worker.ts";

export interface ReplicationOptions {
  /** Its observers must come to hold the `observer` that is returned. */
  readonly context: RegistryContext;
  /** This region included. */
  readonly chart: Chart;
  /** Destinations that are no regions. */
  readonly registries?: readonly OciRegistry[];
  readonly regionKey: RegionKey;
  /** The network. */
  readonly fetch: Fetch;
  /** Reaches a region in another way than by HTTP: for simulations. */
  readonly connect?: (region: ChartRegion) => Peer;
  /** Whether an account exists in this region. */
  readonly knowsAccount: (account: string) => Promise<boolean>;
  /** Decides by this region's policies who may replicate to it. */
  readonly consent: ReplicationConsent;
  /** True when no other process replicates out of this region's database. */
  readonly soleWorker: boolean;
  readonly settings?: Partial<ReplicationSettings>;
  readonly meter?: Meter;
  readonly log?: ReplicationLog;
}

export interface RunningReplication {
  /** For the registry's context: sees pushes. */
  readonly observer: ChangeObserver;
  /** For the server: everything under /replication/. */
  readonly handler: Handler;
  /** The same without HTTP and without authentication: for simulations. */
  readonly receiver: Receiver;
  /** What `start` and `stop` drive; a simulation calls its `tick` instead. */
  readonly worker: ReplicationWorker;
  /** Begins to replicate. */
  start(): void;
  /** Interrupts transfers, which go on where they were after the next start; resolves when idle. */
  stop(): Promise<void>;
  /** Compares a destination with what the rules send there. @throws ReplicationFailure */
  verify(options: VerifyOptions): Promise<VerificationReport>;
  /** Whether a destination can be compared: other registries cannot. */
  isComparable(destination: Destination): boolean;
  /** Lag and backlog; also sets their gauges, so call it before the metrics are read. */
  lags(destinations?: readonly Destination[]): Promise<DestinationLag[]>;
  /** Writes down how much has moved, for whoever asks for rates. */
  noteRates(): Promise<void>;
  /** The ways to the regions of the chart, this one included, as this process knows them. */
  links(): LinkStatus[];
}

export function startReplication(options: ReplicationOptions): RunningReplication {
  const { context, chart, regionKey } = options;
  const { region, clock, random } = context;
  const settings = { ...defaultReplicationSettings, ...options.settings };
  const tally = rateTally(replicationMetrics(options.meter ?? noMeter));
  const { metrics, flow } = flowMeter(tally.metrics, clock);
  const log = options.log ?? silentLog;

  const leaves = registryLeaves(context.metadata.read, clock);
  const incoming = receiver({
    context,
    leaves,
    knowsAccount: options.knowsAccount,
    consent: options.consent,
    settings,
    metrics,
    log,
  });
  const tokens = regionTokens(region, regionKey, clock);
  const connect =
    options.connect ??
    ((destination: ChartRegion) =>
      httpPeer({
        region: destination,
        authorization: () => tokens.authorization(destination.name),
        fetch: options.fetch,
        clock,
        settings,
      }));
  const links = chart.regions.map((destination) => {
    const peer = destination.name === region ? localPeer(region, incoming) : connect(destination);
    return link(destination.name, peer, settings, random);
  });
  if (!links.some((known) => known.region === region)) {
    links.push(link(region, localPeer(region, incoming), settings, random));
  }
  const { fetch } = options;
  const currentTag = registryTag(context.metadata.read);
  for (const registry of options.registries ?? []) {
    const peer = ociPeer({ registry, currentTag, fetch, clock, settings });
    links.push(link(registry.name, peer, settings, random));
  }
  const { soleWorker } = options;
  const backfills = backfillWork({
    context,
    settings: settings.backfill,
    pollMilliseconds: settings.pollMilliseconds,
  });
  const ports = { context, settings, metrics, log };
  const worker = replicationWorker({ ...ports, links, backfills, soleWorker });

  const gauges = lagGauges(metrics);

  return {
    observer: replicationObserver({ region, clock, random, wake: () => worker.wake() }),
    handler: replicationEndpoint({
      receiver: incoming,
      tokens: regionTokenVerifier(region, chart, clock),
      log,
    }),
    receiver: incoming,
    worker,
    start: () => worker.start(),
    stop: () => worker.stop(),
    async verify(options) {
      const { region: name } = options.destination;
      const known = links.find((each) => each.region === name);
      if (known === undefined) {
        throw new ReplicationFailure("region_unknown", `the chart of this region has no ${name}`);
      }
      const report = await verifyDestination({ context, leaves, peer: known.peer }, options);
      if (report.repaired) worker.wake();
      return report;
    },
    isComparable: ({ region: name }) =>
      links.some((each) => each.region === name && each.peer.verify !== undefined),
    async lags(destinations) {
      const lags = await destinationLags(context.metadata.read, clock.now(), destinations);
      gauges.show(lags);
      return lags;
    },
    noteRates: () => tally.write(context.metadata, clock, random),
    links: () =>
      links.map(({ region, circuit }) => ({
        region,
        unreachableSince: circuit.openSince,
        flow: flow(region),
      })),
  };
}
