/**
 * Builds a region from its configuration with the real drivers, and starts it. `main.ts` runs one
 * in a process; `npm run dev`, the demo and tests run several.
 */
import { unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Access } from "./access/access.ts";
import { auditLog, expireAudit } from "./access/audit-log.ts";
import { basicAuthentication } from "./access/basic-authentication.ts";
import { ensureRootCredentials, rootPrincipal, storedAccessKeys } from "./access/credentials.ts";
import { documentIdentities } from "./access/identities/document-identities.ts";
import { identityKeys } from "./access/identities/identity-keys.ts";
import { keyUsage } from "./access/identities/key-usage.ts";
import { sessionCredentials } from "./access/identities/session-credentials.ts";
import { webIdentities } from "./access/identities/web-identity.ts";
import { secretCipher } from "./access/installation-key.ts";
import { layerUrls } from "./access/layer-urls.ts";
import { policyAccess } from "./access/policy-access.ts";
import { documentResourceSource } from "./access/policy-documents.ts";
import { withReplicationRole } from "./access/replication-consent.ts";
import { registryTokens } from "./access/tokens.ts";
import { type AwsHandlerOptions, awsHandler } from "./aws/handler.ts";
import { throttle } from "./aws/throttle.ts";
import { countAllUploads } from "./metadata/queries/uploads.ts";
import { defaultOciSettings } from "./oci/endpoint.ts";
import { ociHandler } from "./oci/handler.ts";
import { layerDownloadHandler } from "./oci/layer-download.ts";
import { makeDataDirectory, openRegistry, StartError } from "./open-registry.ts";
import { regionConsole } from "./region-console.ts";
import { openFleet, welcomeAccounts } from "./region-fleet.ts";
import { openGarbageCollection } from "./region-garbage.ts";
import { openPullThrough } from "./region-pull-through.ts";
import { openReplication, replicationLimits } from "./region-replication.ts";
import { openVerification } from "./region-verification.ts";
import type { ChangeObserver, RegistryContext } from "./registry/context.ts";
import { expireUploads } from "./registry/expire-uploads.ts";
import { runLifecyclePolicies } from "./registry/lifecycle/run.ts";
import { registriesOf } from "./runtime/chart-values.ts";
import type { Clock, Random } from "./runtime/clock.ts";
import type { Configuration } from "./runtime/configuration-entries.ts";
import { formatListenAddress, type ListenAddress } from "./runtime/configuration-values.ts";
import { lockDirectory } from "./runtime/directory-lock.ts";
import { type HealthCheck, healthHandler } from "./runtime/health.ts";
import { readInstallationFiles } from "./runtime/installation-files.ts";
import { type Listener, type ListenerOptions, startListener } from "./runtime/listener.ts";
import type { LogOutput } from "./runtime/logger.ts";
import { type MetricDescription, metricsRegistry } from "./runtime/metrics.ts";
import { metricsHandler } from "./runtime/metrics-endpoint.ts";
import { registerProcessMetrics } from "./runtime/process-metrics.ts";
import { isLogged, requestLine } from "./runtime/request-log.ts";
import { requestMetrics } from "./runtime/request-metrics.ts";
import { type ScheduledWork, startSchedule } from "./runtime/schedule.ts";
import {
  generateInstallationKey,
  type RootCredentials,
  readInstallationKey,
  writeSecretFile,
} from "./runtime/secret-files.ts";
import { readTlsFiles, type TlsFiles } from "./runtime/tls-files.ts";
import { tokenBuckets } from "./runtime/token-buckets.ts";
import { createServer, welcomeHandler } from "./server.ts";
import { version } from "./version.ts";

export interface RegionOptions {
  readonly configuration: Configuration;
  readonly clock: Clock;
  readonly random: Random;
  readonly monotonicNow: () => number;
  readonly log: LogOutput;
}

export interface Region {
  readonly name: string;
  /** Where it listens, with the port that the system chose. */
  readonly address: ListenAddress;
  /** The URL to reach it by. */
  readonly endpoint: string;
  /** Only when this start made them: to be shown once. */
  readonly generatedRootCredentials: RootCredentials | undefined;
  /** What it measures. */
  metricDescriptions(): readonly MetricDescription[];
  /** Reads the certificate and its key again. */
  reload(): Promise<void>;
  /** Finishes what is in flight, within the configured time, and closes everything. */
  stop(): Promise<void>;
}

const uploadExpiryIntervalMilliseconds = 10 * 60_000;
/** ECR takes up to a day. */
const lifecycleIntervalMilliseconds = 3600_000;
const auditRetentionIntervalMilliseconds = 3600_000;
/** Gauges between two readings are as old as this at most. */
const lagIntervalMilliseconds = 5000;

/**
 * @throws {StartError | DirectoryLockedError | RegionMismatchError | InstallationFilesError} in
 * words for the operator
 */
export async function startRegion(options: RegionOptions): Promise<Region> {
  const { data } = options.configuration;
  await makeDataDirectory(data);
  const undo: (() => unknown)[] = [];
  try {
    const lock = lockDirectory(data, `process ${process.pid}`);
    undo.push(() => lock.release());
    return await startLocked(options, undo);
  } catch (error) {
    for (const step of undo.reverse()) await step();
    throw error;
  }
}

/** @param undo what was begun adds its end here, in order */
async function startLocked(options: RegionOptions, undo: (() => unknown)[]): Promise<Region> {
  const { configuration, clock, random, monotonicNow } = options;
  const { limits } = configuration;
  const logger = options.log.logger.child({ region: configuration.region });
  const shutdown = new AbortController();
  const { files, warnings } = await readInstallationFiles(configuration);
  for (const warning of warnings) logger.warn({ warning }, "a secret is not well kept");

  const metrics = metricsRegistry((error) => logger.warn({ error }, "a metric failed"));
  const observers: ChangeObserver[] = [];
  const warn = (error: Error) => logger.warn({ error }, "the metadata store needs attention");
  const registry = await openRegistry({ ...options, metrics, observers, warn });
  undo.push(() => registry.close());
  const { context } = registry;

  const installationKey =
    files.installationKey ?? (await ownInstallationKey(configuration.data, random));
  const cipher = secretCipher(installationKey, random);
  const root = await ensureRootCredentials({
    registry: context,
    cipher,
    account: configuration.account,
    given: files.rootCredentials,
  });
  if (root.replacedBy !== undefined) {
    const { accessKeyId, replacedBy } = root;
    const words = "the root credentials of the configuration were replaced in another region";
    logger.warn({ accessKeyId, replacedBy }, words);
  }
  await welcomeAccounts(context, configuration);
  const fleet = await openFleet({ configuration, context, installationKey, logger });
  const sessions = sessionCredentials({ installationKey, clock, random });
  const usage = keyUsage({
    metadata: context.metadata,
    clock,
    region: configuration.region,
    onError: (error) => logger.warn({ error }, "the last use of a key cannot be written"),
  });
  undo.push(() => usage.close());
  const rootKeys = storedAccessKeys(context.metadata, cipher);
  const keys = identityKeys({ metadata: context.metadata, cipher, sessions, usage, rootKeys });
  const tokens = registryTokens({ installationKey, region: configuration.region, clock });
  const audit = auditLog({
    metadata: context.metadata,
    clock,
    random,
    onError: (error) => logger.error({ error }, "the audit cannot be written"),
  });
  undo.push(() => audit.close());
  const authenticateBasic = basicAuthentication({ keys, tokens, clock });
  const urls = layerUrls({ installationKey, region: configuration.region, clock });
  const access = policyAccess({
    authenticateBasic,
    source: {
      ...documentResourceSource(context.metadata),
      ...withReplicationRole(documentIdentities(context.metadata.read)),
    },
    audit,
    organization: configuration.access.organization,
    journal: context.metadata.read,
    clock,
    region: configuration.region,
  });
  observers.push(access.observer);

  metrics.gauge(
    { name: "uploads_open", help: "Upload sessions that are neither finished nor cancelled." },
    async (gauge) => gauge.series().set(await countAllUploads(context.metadata.read)),
  );
  registerProcessMetrics(metrics, { version, region: configuration.region, monotonicNow });
  const countRequest = requestMetrics(metrics);
  const { cache, upstreams } = openPullThrough({
    configuration,
    secrets: { registry: context, cipher },
    fetch,
    metrics,
    log: logger,
  });
  observers.push(cache.observer);
  undo.push(() => cache.stop());
  const replication = await openReplication({
    ...{ configuration, context, access, fleet, metrics, logger },
  });
  if (replication !== undefined) observers.push(replication.observer);

  const aws = {
    registry: context,
    access,
    keys,
    tokens,
    identities: {
      identities: { registry: context, cipher },
      sessions,
      usage,
      webIdentities: webIdentities({
        providers: configuration.access.identityProviders,
        clock,
        fetch,
      }),
    },
    layerUrls: urls,
    throttle: throttle(configuration.throttling, tokenBuckets()),
    cache,
    upstreams,
    knownRegions: fleet.chart.names,
    registries: new Set(registriesOf(configuration.chart).map(({ name }) => name)),
    ownFilterTypes: configuration.replication.ownFilterTypes,
    replicationLimits: replicationLimits(configuration),
    reportError: (error, { requestId }) =>
      logger.error({ requestId, error }, "request failed unexpectedly"),
  } satisfies AwsHandlerOptions;
  const webConsole = regionConsole({ configuration, aws, installationKey, replication, logger });

  const handler = createServer({
    logger,
    oci: ociHandler({
      context,
      access,
      cache,
      throttle: registryThrottle(configuration.throttling.registryRequestsPerSecond),
      settings: {
        ...defaultOciSettings,
        tagsPageLimit: limits.tagsPage,
        catalogPageLimit: limits.catalogPage,
        catalogPageDefault: Math.min(defaultOciSettings.catalogPageDefault, limits.catalogPage),
        // A stall is noticed before twice this time: within the limit that the operator set.
        bodyStallMilliseconds: limits.idle.milliseconds / 2,
      },
    }),
    aws: awsHandler(aws),
    console: webConsole.handler,
    layers: layerDownloadHandler(context, urls),
    ...(replication !== undefined && { replication: replication.handler }),
    health: healthHandler({
      clock,
      checks: healthChecks(context, configuration.data),
      isShuttingDown: () => shutdown.signal.aborted,
      onFailure: (check, error) => logger.warn({ check, error }, "health check failed"),
    }),
    metrics: metricsHandler({
      registry: metrics,
      readers: configuration.metrics.readers,
      isRoot: (authorization) => isRoot(access, authorization),
    }),
    welcome: welcomeHandler(configuration.region, version),
  });
  const listener = listen(configuration, files.tls, {
    handler,
    random,
    monotonicNow,
    onRequest(record) {
      countRequest(record);
      if (isLogged(record, configuration.log.requests)) {
        options.log.writeLine(requestLine(record, clock.now()));
      }
    },
    onError: (error, requestId) => logger.error({ error, requestId }, "request failed"),
  });
  undo.push(() => listener.stop(0));
  metrics.gauge(
    { name: "http_requests_in_flight", help: "Requests not yet answered completely." },
    (gauge) => gauge.series().set(listener.requestsInFlight()),
  );

  if (replication !== undefined) {
    replication.start();
    undo.push(() => replication.stop());
    const compared = await openVerification({
      configuration,
      context,
      replication,
      metrics,
      logger,
    });
    if (compared !== undefined) undo.push(() => compared.stop());
  }
  const works: ScheduledWork[] = [
    {
      name: "audit retention",
      intervalMilliseconds: auditRetentionIntervalMilliseconds,
      async run() {
        const before = clock.now() - configuration.audit.retention.milliseconds;
        const blocks = await expireAudit(context.metadata, before);
        if (blocks > 0) logger.info({ blocks }, "old audit deleted");
      },
    },
    {
      name: "upload expiry",
      intervalMilliseconds: uploadExpiryIntervalMilliseconds,
      async run() {
        const expired = await expireUploads(context);
        if (expired > 0) logger.info({ uploads: expired }, "abandoned uploads dropped");
      },
    },
  ];
  works.push({
    name: "lifecycle policies",
    intervalMilliseconds: lifecycleIntervalMilliseconds,
    async run() {
      const done = await runLifecyclePolicies(context);
      if (done.expired + done.archived > 0)
        logger.info({ ...done }, "lifecycle policies carried out");
    },
  });
  if (replication !== undefined) {
    works.push({
      name: "replication lag",
      intervalMilliseconds: lagIntervalMilliseconds,
      async run() {
        await replication.noteRates();
        await replication.lags();
      },
    });
  }
  const schedule = startSchedule(clock, works, (work, error) =>
    logger.error({ work: work.name, error }, "scheduled work failed"),
  );
  undo.push(() => schedule.stop());
  const collection = openGarbageCollection({ configuration, context, metrics, logger });
  if (collection !== undefined) undo.push(() => collection.stop());

  return {
    name: configuration.region,
    address: listener.address,
    endpoint: endpointOf(configuration, listener),
    generatedRootCredentials:
      root.generatedSecretAccessKey === undefined
        ? undefined
        : { accessKeyId: root.accessKeyId, secretAccessKey: root.generatedSecretAccessKey },
    metricDescriptions: () => metrics.descriptions(),
    async reload() {
      const { certificate, key } = configuration.tls;
      if (certificate === undefined || key === undefined) return;
      listener.replaceTls(await readTlsFiles(certificate, key));
      logger.info({ certificate }, "certificate read again");
    },
    async stop() {
      if (shutdown.signal.aborted) return;
      shutdown.abort();
      // Streams of events have no end of their own.
      await webConsole.stop();
      logger.info({ inFlight: listener.requestsInFlight() }, "shutting down");
      const cut = await listener.stop(limits.shutdown.milliseconds);
      if (cut > 0) logger.warn({ requests: cut }, "requests were cut off at the deadline");
      for (const step of undo.reverse()) await step();
    },
  };
}

function healthChecks({ metadata }: RegistryContext, data: string): HealthCheck[] {
  return [
    {
      name: "metadata",
      check: async () => {
        await metadata.read.all("select 1 as one");
        // After a disk has failed, reads go on and writes are refused.
        await metadata.transaction(async () => {}, { durable: false });
      },
    },
    {
      name: "blobs",
      // A real write: a full disk and a read-only mount look healthy to everything else.
      check: async () => {
        const probe = join(data, ".healthz");
        await writeFile(probe, "probe");
        await unlink(probe);
      },
    },
  ];
}

async function isRoot(access: Access, authorization: string): Promise<boolean> {
  const authentication = await access.authenticateBasic(authorization);
  if ("failure" in authentication) return false;
  const { arn, account } = authentication.principal;
  return arn === rootPrincipal(account).arn;
}

/** The key that the first start made, when the configuration names none. */
async function ownInstallationKey(data: string, random: Random): Promise<Uint8Array> {
  const path = join(data, "installation-key");
  if (!(await Bun.file(path).exists())) {
    await writeSecretFile(path, generateInstallationKey(random));
  }
  return readInstallationKey(path);
}

function listen(
  configuration: Configuration,
  tls: TlsFiles | undefined,
  rest: Pick<ListenerOptions, "handler" | "random" | "monotonicNow" | "onRequest" | "onError">,
): Listener {
  const { limits } = configuration;
  try {
    return startListener({
      address: configuration.listen,
      ...(tls !== undefined && { tls }),
      idleSeconds: Math.ceil(limits.idle.milliseconds / 1000),
      headerBytesLimit: limits.headers.bytes,
      requestsInFlightLimit: limits.requestsInFlight,
      ...rest,
    });
  } catch (error) {
    const { code } = error as { code?: string };
    const address = formatListenAddress(configuration.listen);
    const reason = code === "EADDRINUSE" ? "another process listens there" : "see below";
    throw new StartError(`cannot listen on ${address}: ${reason}`, { cause: error });
  }
}

function registryThrottle(perSecond: number) {
  if (perSecond === 0) return undefined;
  const buckets = tokenBuckets();
  const rate = { perSecond, burst: perSecond * 2 };
  return (principalArn: string, now: number) => buckets.take(principalArn, rate, now);
}

function endpointOf(configuration: Configuration, { address, secure }: Listener): string {
  const inChart = configuration.chart.find(({ name }) => name === configuration.region);
  const known = configuration.endpoint ?? inChart?.endpoint;
  if (known !== undefined) return known;
  const hostname = /^(::|0\.0\.0\.0)$/.test(address.hostname) ? "localhost" : address.hostname;
  return `${secure ? "https" : "http"}://${formatListenAddress({ ...address, hostname })}`;
}
