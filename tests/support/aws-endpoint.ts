/** The AWS endpoint of one region in memory, with its registry, on a real socket, for real clients. */

import { noAudit } from "../../src/access/audit.ts";
import { basicAuthentication } from "../../src/access/basic-authentication.ts";
import {
  type AccessKey,
  ensureRootCredentials,
  storedAccessKeys,
} from "../../src/access/credentials.ts";
import { documentIdentities } from "../../src/access/identities/document-identities.ts";
import { identityKeys } from "../../src/access/identities/identity-keys.ts";
import { keyUsage } from "../../src/access/identities/key-usage.ts";
import { sessionCredentials } from "../../src/access/identities/session-credentials.ts";
import { type IdentityProvider, webIdentities } from "../../src/access/identities/web-identity.ts";
import { secretCipher } from "../../src/access/installation-key.ts";
import { layerPath, layerUrls } from "../../src/access/layer-urls.ts";
import { type PolicyAccess, policyAccess } from "../../src/access/policy-access.ts";
import { documentResourceSource } from "../../src/access/policy-documents.ts";
import { registryTokens } from "../../src/access/tokens.ts";
import { type AwsHandlerOptions, awsHandler } from "../../src/aws/handler.ts";
import { type ThrottleSettings, throttle } from "../../src/aws/throttle.ts";
import { memoryBlobStore } from "../../src/blobs/memory.ts";
import { verified } from "../../src/blobs/verified.ts";
import { sqliteMetadataStore } from "../../src/metadata/sqlite.ts";
import { defaultOciSettings } from "../../src/oci/endpoint.ts";
import { ociHandler } from "../../src/oci/handler.ts";
import { layerDownloadHandler } from "../../src/oci/layer-download.ts";
import { openPullThrough } from "../../src/region-pull-through.ts";
import {
  type ChangeObserver,
  defaultRegistrySettings,
  type RegistryContext,
} from "../../src/registry/context.ts";
import { hybridClock } from "../../src/registry/hybrid-clock.ts";
import { keyedMutex } from "../../src/registry/keyed-mutex.ts";
import { type Clock, systemClock, systemRandom } from "../../src/runtime/clock.ts";
import { metricsRegistry } from "../../src/runtime/metrics.ts";
import type { Handler, RequestContext, RequestLogFields } from "../../src/runtime/request.ts";
import { tokenBuckets } from "../../src/runtime/token-buckets.ts";

export interface AwsEndpoint extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  readonly region: string;
  readonly account: string;
  readonly root: AccessKey;
  readonly registry: RegistryContext;
  readonly access: PolicyAccess;
  readonly installationKey: Uint8Array;
  /** What the AWS services work with. */
  readonly aws: AwsHandlerOptions;
  /** The handler behind the socket. */
  readonly handler: Handler;
  /** Of the requests so far, oldest first. */
  readonly logs: RequestLogFields[];
  /** What the pull-through cache has warned of. */
  readonly cacheLog: readonly object[];
  /** Errors that became a 500. */
  readonly unforeseen: unknown[];
  /** A context for a request that does not come over the socket. */
  context(secure?: boolean): RequestContext;
}

export interface AwsEndpointOptions
  extends Partial<
    Pick<
      AwsHandlerOptions,
      "registryEndpoint" | "knownRegions" | "ownFilterTypes" | "replicationLimits"
    >
  > {
  readonly region?: string;
  readonly account?: string;
  readonly clock?: Clock;
  readonly port?: number;
  /** Hosts that pull-through cache rules may name. */
  readonly insecureUpstreams?: readonly string[];
  /** Rates of the AWS APIs. */
  readonly throttling?: ThrottleSettings;
  readonly identityProviders?: readonly IdentityProvider[];
}

export async function startAwsEndpoint(options: AwsEndpointOptions = {}): Promise<AwsEndpoint> {
  const { region = "us-east-1", account = "111122223333", clock = systemClock } = options;
  const metadata = await sqliteMetadataStore({ path: ":memory:", now: clock.now() });
  const observers: ChangeObserver[] = [];
  const registry: RegistryContext = {
    region,
    metadata,
    blobs: verified(memoryBlobStore()),
    clock,
    random: systemRandom,
    hybridClock: hybridClock(clock),
    settings: defaultRegistrySettings,
    observers,
    uploadMutex: keyedMutex(),
  };
  const unforeseen: unknown[] = [];
  const installationKey = systemRandom.bytes(32);
  const cipher = secretCipher(installationKey, systemRandom);
  const sessions = sessionCredentials({ installationKey, clock, random: systemRandom });
  const usage = keyUsage({
    metadata,
    clock,
    region,
    onError: (error) => void unforeseen.push(error),
  });
  const rootKeys = storedAccessKeys(metadata, cipher);
  const keys = identityKeys({ metadata, cipher, sessions, usage, rootKeys });
  const { accessKeyId } = await ensureRootCredentials({ registry, cipher, account });
  const root = await keys.find(accessKeyId);
  if (root === undefined) throw new Error("the root credentials were not stored");
  const tokens = registryTokens({ installationKey, region, clock });
  const authenticateBasic = basicAuthentication({ keys, tokens, clock });
  const access = policyAccess({
    authenticateBasic,
    source: { ...documentResourceSource(metadata), ...documentIdentities(metadata.read) },
    audit: noAudit,
    journal: metadata.read,
    clock,
    region,
  });
  observers.push(access.observer);
  const logs: RequestLogFields[] = [];
  const cacheLog: object[] = [];
  const urls = layerUrls({ installationKey, region, clock });
  const { cache, upstreams } = openPullThrough({
    configuration: {
      pullThroughCache: {
        upstreams: [],
        insecureUpstreams: options.insecureUpstreams ?? [],
        tagFreshness: { milliseconds: 24 * 3600_000 },
        referrersFreshness: { milliseconds: 6 * 3600_000 },
        unknownFreshness: { milliseconds: 60_000 },
        failureFreshness: { milliseconds: 60_000 },
      },
    },
    secrets: { registry, cipher },
    fetch,
    metrics: metricsRegistry((error) => void unforeseen.push(error)),
    log: { warn: (fields) => void cacheLog.push(fields) },
  });
  observers.push(cache.observer);
  const awsOptions = {
    cache,
    upstreams,
    ...(options.throttling !== undefined && {
      throttle: throttle(options.throttling, tokenBuckets()),
    }),
    registry,
    access,
    keys,
    tokens,
    identities: {
      identities: { registry, cipher },
      sessions,
      usage,
      webIdentities: webIdentities({ providers: options.identityProviders ?? [], clock, fetch }),
    },
    layerUrls: urls,
    registryEndpoint: options.registryEndpoint,
    knownRegions: options.knownRegions,
    ownFilterTypes: options.ownFilterTypes,
    replicationLimits: options.replicationLimits,
    reportError: (error: unknown) => void unforeseen.push(error),
  } satisfies AwsHandlerOptions;
  const aws = awsHandler(awsOptions);
  const oci = ociHandler({ context: registry, access, cache, settings: defaultOciSettings });
  const layers = layerDownloadHandler(registry, urls);
  const handler: Handler = (request, requestContext) =>
    new URL(request.url).pathname.startsWith(layerPath)
      ? layers(request, requestContext)
      : aws(request, requestContext);
  const context = (secure = false): RequestContext => {
    const log: RequestLogFields = {};
    logs.push(log);
    return { requestId: systemRandom.uuid(), clientAddress: "127.0.0.1", secure, log };
  };
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: options.port ?? 0,
    fetch: (request) =>
      new URL(request.url).pathname.startsWith("/v2/")
        ? oci(request, context())
        : handler(request, context()),
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    region,
    account,
    root,
    registry,
    access,
    installationKey,
    aws: awsOptions,
    handler,
    logs,
    cacheLog,
    unforeseen,
    context,
    async [Symbol.asyncDispose]() {
      await server.stop(true);
      await cache.stop();
      await usage.close();
      await metadata.close();
    },
  };
}
