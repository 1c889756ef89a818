/** Puts the parts of replication together, for `main` and for tests. */
import type { ReplicationConsent } from "../access/replication-consent.ts";
import type { ChangeObserver, RegistryContext } from "../registry/context.ts";
import type { Handler } from "../runtime/request.ts";
import { backfillWork } from "./backfill-work.ts";
import type { Chart, ChartRegion } from "./chart.ts";
import type { Destination } from "./configuration.ts";
import { type DestinationLag, destinationLags } from "./destination-lag.ts";
import {
  documentReplication,
  type InstallationDocuments,
} from "./documents/document-replication.ts";
import type { DocumentSender } from "./documents/document-sender.ts";
import { replicationEndpoint } from "./endpoint.ts";
import { ReplicationFailure } from "./failure.ts";
import { flowMeter } from "./flow.ts";
import type { Fetch } from "./http-exchange.ts";
import { httpPeer } from "./http-peer.ts";
import { lagGauges } from "./lag-gauges.ts";
import { type Link, link } from "./link.ts";
import { linkSet } from "./link-set.ts";
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
import {
  type RegionKey,
  type RegionKeys,
  regionTokens,
  regionTokenVerifier,
} from "./region-token.ts";
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
  readonly regionKey: RegionKey | (() => RegionKeys);
  /** What holds in all regions; absent: this region keeps it for itself. */
  readonly documents?: InstallationDocuments | undefined;
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
  /** Sends identities to the other regions; like the worker, a simulation drives its `tick`. */
  readonly documents: DocumentSender | undefined;
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

  const documents =
    options.documents &&
    documentReplication({
      ...options.documents,
      context,
      destinations: () => links.current().filter((each) => each.region !== region),
      settings,
      meter: options.meter ?? noMeter,
      log,
    });
  const leaves = registryLeaves(context.metadata.read, clock);
  const incoming = receiver({
    context,
    leaves,
    knowsAccount: options.knowsAccount,
    consent: options.consent,
    documents: documents?.receive,
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
        refused: () => tokens.refused(destination.name),
        fetch: options.fetch,
        clock,
        settings,
      }));
  const { fetch } = options;
  const registryLinks: Link[] = [];
  const currentTag = registryTag(context.metadata.read);
  for (const registry of options.registries ?? []) {
    const peer = ociPeer({ registry, currentTag, fetch, clock, settings });
    registryLinks.push(link(registry.name, peer, settings, random));
  }
  const links = linkSet(
    { name: region, chart },
    (to) =>
      typeof to === "string"
        ? link(to, localPeer(to, incoming), settings, random)
        : link(to.name, connect(to), settings, random),
    registryLinks,
  );
  const { soleWorker } = options;
  const backfills = backfillWork({
    context,
    settings: settings.backfill,
    pollMilliseconds: settings.pollMilliseconds,
  });
  const ports = { context, settings, metrics, log };
  const worker = replicationWorker({ ...ports, links: links.current, backfills, soleWorker });

  const gauges = lagGauges(metrics);

  const observeImages = replicationObserver({ region, clock, random, wake: () => worker.wake() });

  return {
    async observer(tx, change) {
      await observeImages(tx, change);
      await documents?.observer(tx, change);
    },
    handler: replicationEndpoint({
      receiver: incoming,
      tokens: regionTokenVerifier(region, chart, clock),
      log,
    }),
    receiver: incoming,
    worker,
    documents: documents?.sender,
    start() {
      worker.start();
      documents?.sender.start();
    },
    async stop() {
      await Promise.all([worker.stop(), documents?.sender.stop()]);
    },
    async verify(options) {
      const { region: name } = options.destination;
      const known = links.find(name);
      if (known === undefined) {
        throw new ReplicationFailure("region_unknown", `the chart of this region has no ${name}`);
      }
      const report = await verifyDestination({ context, leaves, peer: known.peer }, options);
      if (report.repaired) worker.wake();
      return report;
    },
    isComparable: ({ region: name }) => links.find(name)?.peer.verify !== undefined,
    async lags(destinations) {
      const lags = await destinationLags(context.metadata.read, clock.now(), destinations);
      gauges.show(lags);
      return lags;
    },
    noteRates: () => tally.write(context.metadata, clock, random),
    links: () =>
      links.current().map(({ region, circuit }) => ({
        region,
        unreachableSince: circuit.openSince,
        flow: flow(region),
      })),
  };
}
