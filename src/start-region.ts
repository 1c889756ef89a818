/**
 * Builds a region from its configuration with the real drivers, and starts it. `main.ts` runs one
 * in a process; `npm run dev`, the demo and tests run several.
 */
import { mkdir, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Access } from "./access/access.ts";
import { ensureRootCredentials, rootPrincipal, storedAccessKeys } from "./access/credentials.ts";
import { secretCipher } from "./access/installation-key.ts";
import { rootAccess } from "./access/root-access.ts";
import { registryTokens } from "./access/tokens.ts";
import { awsHandler } from "./aws/handler.ts";
import { filesystemBlobStore } from "./blobs/filesystem.ts";
import { verified } from "./blobs/verified.ts";
import { measuredMetadataStore } from "./metadata/measured.ts";
import type { MetadataStore } from "./metadata/metadata-store.ts";
import { postgresMetadataStore } from "./metadata/postgres.ts";
import { sqliteMetadataStore } from "./metadata/sqlite.ts";
import { defaultOciSettings } from "./oci/endpoint.ts";
import { ociHandler } from "./oci/handler.ts";
import { openReplication } from "./region-replication.ts";
import { claimRegion } from "./registry/claim-region.ts";
import type { ChangeObserver, RegistryContext } from "./registry/context.ts";
import { expireUploads } from "./registry/expire-uploads.ts";
import { hybridClock } from "./registry/hybrid-clock.ts";
import { keyedMutex } from "./registry/keyed-mutex.ts";
import type { Clock, Random } from "./runtime/clock.ts";
import type { Configuration } from "./runtime/configuration-entries.ts";
import { formatListenAddress, type ListenAddress } from "./runtime/configuration-values.ts";
import { lockDirectory } from "./runtime/directory-lock.ts";
import { type HealthCheck, healthHandler } from "./runtime/health.ts";
import {
  type Listener,
  type ListenerOptions,
  startListener,
  type TlsFiles,
} from "./runtime/listener.ts";
import type { LogOutput } from "./runtime/logger.ts";
import { metricsRegistry } from "./runtime/metrics.ts";
import { metricsHandler } from "./runtime/metrics-endpoint.ts";
import { registerProcessMetrics } from "./runtime/process-metrics.ts";
import { isLogged, requestLine } from "./runtime/request-log.ts";
import { requestMetrics } from "./runtime/request-metrics.ts";
import { startSchedule } from "./runtime/schedule.ts";
import {
  generateInstallationKey,
  type RootCredentials,
  readInstallationKey,
  readRootCredentials,
  writeSecretFile,
} from "./runtime/secret-files.ts";
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
  /** Reads the certificate and its key again. */
  reload(): Promise<void>;
  /** Finishes what is in flight, within the configured time, and closes everything. */
  stop(): Promise<void>;
}

const uploadExpiryIntervalMilliseconds = 10 * 60_000;
/** Gauges between two readings are as old as this at most. */
const lagIntervalMilliseconds = 5000;

/** A region that cannot start, in words for the operator. */
export class StartError extends Error {
  override readonly name = "StartError";
}

/** @throws {StartError | DirectoryLockedError | RegionMismatchError | SecretFileError} */
export async function startRegion(options: RegionOptions): Promise<Region> {
  const { data } = options.configuration;
  try {
    await mkdir(data, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new StartError(`the data directory ${data} cannot be made`, { cause: error });
  }
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
  const logger = options.log.logger.child({ region: configuration.region });
  const shutdown = new AbortController();

  const metrics = metricsRegistry((error) => logger.warn({ error }, "a metric failed"));
  const metadata = measuredMetadataStore(
    await openMetadata(configuration, clock, random),
    metrics,
    monotonicNow,
  );
  undo.push(() => metadata.close());
  await claimRegion(metadata, configuration.region, clock.now());
  const blobs = verified(await filesystemBlobStore({ root: configuration.data }));
  undo.push(() => blobs.close());

  const installationKey = await readOrMakeInstallationKey(configuration, random);
  const cipher = secretCipher(installationKey, random);
  const root = await ensureRootCredentials({
    metadata,
    cipher,
    clock,
    random,
    account: configuration.account,
    given: await givenRootCredentials(configuration),
  });
  const keys = storedAccessKeys(metadata, cipher);
  const tokens = registryTokens({ installationKey, region: configuration.region, clock });
  const access = rootAccess({ keys, tokens, clock });

  const { registry, limits } = configuration;
  const observers: ChangeObserver[] = [];
  const context: RegistryContext = {
    region: configuration.region,
    metadata,
    blobs,
    clock,
    random,
    hybridClock: hybridClock(clock),
    settings: {
      createRepositoryOnPush: registry.createRepositoryOnPush,
      manifestBytesLimit: registry.manifestLimit.bytes,
      blobBytesLimit: registry.blobLimit.bytes,
      uploadsPerRepositoryLimit: registry.uploadsPerRepositoryLimit,
      uploadExpiryMilliseconds: registry.uploadExpiry.milliseconds,
      garbageGraceMilliseconds: registry.garbageGrace.milliseconds,
    },
    observers,
    uploadMutex: keyedMutex(),
  };
  registerProcessMetrics(metrics, { version, region: configuration.region, monotonicNow });
  const countRequest = requestMetrics(metrics);
  const replication = await openReplication({ configuration, context, metrics, logger });
  if (replication !== undefined) observers.push(replication.observer);

  const handler = createServer({
    logger,
    oci: ociHandler({
      context,
      access,
      settings: {
        ...defaultOciSettings,
        tagsPageLimit: limits.pageSize,
        catalogPageLimit: limits.pageSize,
        catalogPageDefault: Math.min(defaultOciSettings.catalogPageDefault, limits.pageSize),
      },
    }),
    aws: awsHandler({
      registry: context,
      access,
      keys,
      tokens,
      knownRegions: new Set([
        configuration.region,
        ...configuration.chart.map((region) => region.name),
      ]),
      reportError: (error, { requestId }) =>
        logger.error({ requestId, error }, "request failed unexpectedly"),
    }),
    ...(replication !== undefined && { replication: replication.handler }),
    health: healthHandler({
      clock,
      checks: healthChecks(metadata, configuration.data),
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

  const tls = await readTls(configuration);
  const listener = listen(configuration, tls, {
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
  }
  const schedule = startSchedule(
    clock,
    [
      {
        name: "upload expiry",
        intervalMilliseconds: uploadExpiryIntervalMilliseconds,
        async run() {
          const expired = await expireUploads(context);
          if (expired > 0) logger.info({ uploads: expired }, "abandoned uploads dropped");
        },
      },
      ...(replication === undefined
        ? []
        : [
            {
              name: "replication lag",
              intervalMilliseconds: lagIntervalMilliseconds,
              run: async () => void (await replication.lags()),
            },
          ]),
    ],
    (work, error) => logger.error({ work: work.name, error }, "scheduled work failed"),
  );
  undo.push(() => schedule.stop());

  return {
    name: configuration.region,
    address: listener.address,
    endpoint: endpointOf(configuration, listener),
    generatedRootCredentials:
      root.generatedSecretAccessKey === undefined
        ? undefined
        : { accessKeyId: root.accessKeyId, secretAccessKey: root.generatedSecretAccessKey },
    async reload() {
      const files = await readTls(configuration);
      if (files === undefined) return;
      listener.replaceTls(files);
      logger.info({}, "certificate read again");
    },
    async stop() {
      shutdown.abort();
      const inFlight = listener.requestsInFlight();
      logger.info({ inFlight }, "shutting down");
      const cut = await listener.stop(limits.shutdown.milliseconds);
      if (cut > 0) logger.warn({ requests: cut }, "requests were cut off at the deadline");
      for (const step of undo.reverse()) await step();
    },
  };
}

function openMetadata(
  { metadata, data }: Configuration,
  clock: Clock,
  random: Random,
): Promise<MetadataStore> {
  const now = clock.now();
  if (metadata.driver === "sqlite") {
    return sqliteMetadataStore({ path: join(data, "metadata.sqlite"), now });
  }
  if (metadata.url === undefined) throw new StartError("metadata.url is missing");
  return postgresMetadataStore({ url: metadata.url, now, clock, random });
}

/** Ordered so that what costs least is said first. */
function healthChecks(metadata: MetadataStore, data: string): HealthCheck[] {
  return [
    {
      name: "metadata",
      check: async () => {
        await metadata.read.all("select 1 as one");
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

async function readOrMakeInstallationKey(
  configuration: Configuration,
  random: Random,
): Promise<Uint8Array> {
  if (configuration.installationKey !== undefined) {
    return readInstallationKey(configuration.installationKey);
  }
  const path = join(configuration.data, "installation-key");
  if (!(await Bun.file(path).exists()))
    await writeSecretFile(path, generateInstallationKey(random));
  return readInstallationKey(path);
}

async function givenRootCredentials({ root }: Configuration): Promise<RootCredentials | undefined> {
  const { accessKeyId, secretAccessKey, credentials } = root;
  if (accessKeyId !== undefined && secretAccessKey !== undefined) {
    return { accessKeyId, secretAccessKey };
  }
  return credentials === undefined ? undefined : readRootCredentials(credentials);
}

async function readTls({ tls }: Configuration): Promise<TlsFiles | undefined> {
  if (tls.certificate === undefined || tls.key === undefined) return undefined;
  const [certificate, key] = await Promise.all(
    [tls.certificate, tls.key].map(async (path) => {
      try {
        return await Bun.file(path).text();
      } catch (error) {
        throw new StartError(`${path} cannot be read`, { cause: error });
      }
    }),
  );
  return { certificate: certificate ?? "", key: key ?? "" };
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
    const reason = code === "EADDRINUSE" ? "another process listens there" : (code ?? "see cause");
    throw new StartError(`cannot listen on ${address}: ${reason}`, { cause: error });
  }
}

function endpointOf(configuration: Configuration, { address, secure }: Listener): string {
  const inChart = configuration.chart.find(({ name }) => name === configuration.region);
  const known = configuration.endpoint ?? inChart?.endpoint;
  if (known !== undefined) return known;
  const hostname = /^(::|0\.0\.0\.0)$/.test(address.hostname) ? "localhost" : address.hostname;
  return `${secure ? "https" : "http"}://${formatListenAddress({ ...address, hostname })}`;
}
