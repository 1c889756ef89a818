/**
 * Whole regions in one process: real database, real blob store, real HTTP between them over real
 * sockets, and a line of faults in front of each when a test wants one.
 */

import { identityDocumentShapes } from "../../src/access/installation-kinds.ts";
import type { BlobStore } from "../../src/blobs/blob-store.ts";
import { memoryBlobStore } from "../../src/blobs/memory.ts";
import { verified } from "../../src/blobs/verified.ts";
import type { MetadataStore } from "../../src/metadata/metadata-store.ts";
import { sqliteMetadataStore } from "../../src/metadata/sqlite.ts";
import {
  type ChangeObserver,
  defaultRegistrySettings,
  type RegistryContext,
} from "../../src/registry/context.ts";
import { hybridClock } from "../../src/registry/hybrid-clock.ts";
import { keyedMutex } from "../../src/registry/keyed-mutex.ts";
import {
  putReplicationConfiguration,
  type ReplicationRule,
} from "../../src/replication/configuration.ts";
import type { Fetch } from "../../src/replication/http-exchange.ts";
import type { OciRegistry } from "../../src/replication/oci/registry.ts";
import type { RegionKey } from "../../src/replication/region-token.ts";
import {
  defaultReplicationSettings,
  type ReplicationSettings,
} from "../../src/replication/settings.ts";
import {
  type RunningReplication,
  startReplication,
} from "../../src/replication/start-replication.ts";
import { type Clock, systemClock, systemRandom } from "../../src/runtime/clock.ts";
import type { RequestLogFields } from "../../src/runtime/request.ts";
import { testAccount } from "./push-image.ts";
import { type RegionAccess, regionAccess } from "./region-access.ts";
import { generateRegionKey } from "./region-key.ts";
import { type LineFaults, startTcpProxy, type TcpProxy } from "./tcp-proxy.ts";

/** The real figures, faster: tests fail and recover in milliseconds. */
export const quickSettings: ReplicationSettings = {
  ...defaultReplicationSettings,
  pollMilliseconds: 50,
  leaseMilliseconds: 3000,
  backOff: { firstMilliseconds: 20, limitMilliseconds: 200 },
  refusalBackOff: { firstMilliseconds: 20, limitMilliseconds: 200 },
  circuit: { outagesToOpen: 3, probe: { firstMilliseconds: 20, limitMilliseconds: 100 } },
  transfer: { ...defaultReplicationSettings.transfer, busyMilliseconds: 20 },
  stallMilliseconds: 500,
  answerMilliseconds: 5000,
  yieldMilliseconds: 200,
  documentBackOff: { firstMilliseconds: 20, limitMilliseconds: 100 },
};

export interface ReceivedRequest {
  readonly method: string;
  /** `offers` or `blobs`. */
  readonly resource: string;
  /** Of blobs. */
  readonly offset: number;
  status: number;
  errorCode: string | undefined;
}

export interface TestRegion {
  readonly name: string;
  readonly context: RegistryContext;
  /** Its accounts and their policies. */
  readonly access: RegionAccess;
  readonly metadata: MetadataStore;
  readonly blobs: BlobStore;
  readonly key: RegionKey;
  readonly endpoint: string;
  /** The line through which the others reach it. */
  readonly line: TcpProxy;
  /** What its replication endpoint was asked, in order of arrival. */
  readonly requests: ReceivedRequest[];
  readonly replication: RunningReplication;
  configure(rules: readonly ReplicationRule[], account?: string): Promise<void>;
  /** Its server is gone: connections are reset. */
  stopServing(): void;
  serveAgain(): void;
  /** What a process leaves behind that is killed and started again: a new engine, the old stores. */
  restartReplication(): void;
  /** A second node of the region: another engine on the same stores. */
  addNode(): void;
}

export interface Fleet extends AsyncDisposable {
  region(name: string): TestRegion;
}

export interface FleetOptions {
  readonly settings?: Partial<ReplicationSettings>;
  readonly line?: Partial<LineFaults>;
  readonly clocks?: Readonly<Record<string, Clock>>;
  readonly fetch?: Fetch;
  /** Destinations that are no regions. */
  readonly registries?: readonly OciRegistry[];
  readonly openMetadata?: () => Promise<MetadataStore>;
  readonly openBlobs?: () => Promise<BlobStore>;
  /** Engines that a test starts itself. */
  readonly idle?: readonly string[];
  /** The installation key of each region: with it, identities and the chart travel. */
  readonly installationKey?: (region: string) => Uint8Array;
}

export async function startFleet(
  names: readonly string[],
  options: FleetOptions = {},
): Promise<Fleet> {
  const settings = { ...quickSettings, ...options.settings };
  const regions = new Map<string, TestRegion & { close(): Promise<void> }>();
  const chartRegions: { name: string; endpoint: string; publicKey: string }[] = [];
  for (const name of names) {
    const region = await startRegion(name, chartRegions, settings, options);
    regions.set(name, region);
    const { endpoint, key } = region;
    chartRegions.push({ name, endpoint, publicKey: key.publicKey });
  }
  for (const region of regions.values()) region.restartReplication();
  return {
    region(name) {
      const region = regions.get(name);
      if (region === undefined) throw new Error(`no region ${name}`);
      return region;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...regions.values()].map((region) => region.close()));
    },
  };
}

async function startRegion(
  name: string,
  chartRegions: readonly { name: string; endpoint: string; publicKey: string }[],
  settings: ReplicationSettings,
  options: FleetOptions,
): Promise<TestRegion & { close(): Promise<void> }> {
  const clock = options.clocks?.[name] ?? systemClock;
  const metadata = options.openMetadata
    ? await options.openMetadata()
    : await sqliteMetadataStore({ path: ":memory:", now: clock.now() });
  const blobs = options.openBlobs ? await options.openBlobs() : memoryBlobStore();
  const observers: ChangeObserver[] = [];
  const context: RegistryContext = {
    region: name,
    metadata,
    blobs: verified(blobs),
    clock,
    random: systemRandom,
    hybridClock: hybridClock(clock),
    settings: defaultRegistrySettings,
    observers,
    uploadMutex: keyedMutex(),
  };
  const access = regionAccess(context);
  await access.addAccount(testAccount);
  const key = generateRegionKey();
  const requests: ReceivedRequest[] = [];
  let running: RunningReplication | undefined;
  const engines: RunningReplication[] = [];

  const current = () => {
    if (running === undefined) throw new Error("the region has not been started");
    return running;
  };
  const serve = (port: number) =>
    Bun.serve({
      hostname: "127.0.0.1",
      port,
      maxRequestBodySize: 2 ** 40,
      async fetch(request) {
        const url = new URL(request.url);
        const received = {
          method: request.method,
          resource: url.pathname.split("/")[3] ?? "",
          offset: Number(url.searchParams.get("offset")),
          status: 0,
          errorCode: undefined as string | undefined,
        };
        requests.push(received);
        const log: RequestLogFields = {};
        const response = await current().handler(request, {
          requestId: systemRandom.uuid(),
          clientAddress: "127.0.0.1",
          secure: false,
          log,
        });
        received.errorCode = log.errorCode;
        received.status = response.status;
        return response;
      },
    });
  const startEngine = (soleWorker: boolean) => {
    const engine = startReplication({
      context,
      chart: { regions: chartRegions },
      ...(options.registries && { registries: options.registries }),
      regionKey: key,
      fetch: options.fetch ?? fetch,
      knowsAccount: access.knowsAccount,
      consent: access.consent,
      soleWorker,
      ...(options.installationKey && {
        documents: {
          installationKey: options.installationKey(name),
          shapes: identityDocumentShapes,
        },
      }),
      settings,
    });
    engines.push(engine);
    return engine;
  };
  let server = serve(0);
  const port = server.port ?? 0;
  const line = await startTcpProxy({ port }, options.line);

  return {
    name,
    context,
    access,
    metadata,
    blobs,
    key,
    endpoint: `http://127.0.0.1:${line.port}`,
    line,
    requests,
    get replication() {
      return current();
    },
    configure: (rules, account = testAccount) =>
      putReplicationConfiguration(context, {
        account,
        configuration: { rules },
        actor: `arn:aws:iam::${account}:root`,
      }),
    stopServing() {
      server.stop(true);
    },
    serveAgain() {
      server = serve(port);
    },
    restartReplication() {
      running = startEngine(true);
      observers.splice(0, observers.length, access.access.observer, running.observer);
      if (!options.idle?.includes(name)) running.start();
    },
    addNode: () => startEngine(false).start(),
    async close() {
      await Promise.all(engines.map((engine) => engine.stop()));
      server.stop(true);
      await line.close();
      await metadata.close();
    },
  };
}

/** A rule for every repository. */
export function ruleTo(...regions: readonly string[]): ReplicationRule {
  return { destinations: regions.map((region) => ({ region, registryId: testAccount })) };
}
