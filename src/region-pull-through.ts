/** The pull-through cache of a region, built from its configuration, with its metrics. */
import { SecretDecryptionError } from "./access/installation-key.ts";
import {
  readSecretValue,
  SecretError,
  type SecretsContext,
  secretNameOf,
} from "./access/secrets.ts";
import { blobFetches } from "./pull-through/blob-fetches.ts";
import { imageImports } from "./pull-through/image-imports.ts";
import {
  type PullThrough,
  type PullThroughOutcome,
  pullThrough,
} from "./pull-through/pull-through.ts";
import { ruleTable } from "./pull-through/rule-table.ts";
import type { Fetch } from "./pull-through/upstream.ts";
import { SecretUnreadable, type Upstreams, upstreams } from "./pull-through/upstreams.ts";
import { semaphore } from "./replication/semaphore.ts";
import type { Configuration } from "./runtime/configuration-entries.ts";
import type { Metrics } from "./runtime/metrics.ts";

export interface RegionPullThroughOptions {
  readonly configuration: Pick<Configuration, "pullThroughCache">;
  readonly secrets: SecretsContext;
  /** The network. */
  readonly fetch: Fetch;
  readonly metrics: Metrics;
  readonly log: { warn(fields: object, text: string): void };
}

export interface RegionPullThrough {
  readonly cache: PullThrough;
  readonly upstreams: Upstreams;
}

const imagesAtOnce = 4;
const streamsAtOnce = 8;
const answerMilliseconds = 30_000;

export function openPullThrough(options: RegionPullThroughOptions): RegionPullThrough {
  const { secrets, fetch, log } = options;
  const context = secrets.registry;
  const { clock } = context;
  const {
    upstreams: allowed,
    insecureUpstreams,
    ...fresh
  } = options.configuration.pullThroughCache;
  const known = upstreams({
    fetch,
    clock,
    manifestBytesLimit: context.settings.manifestBytesLimit,
    answerMilliseconds,
    allowed: new Set(allowed),
    insecure: new Set(insecureUpstreams),
    readSecret: (account, arn) => readCredentials(secrets, account, arn),
  });
  const blobs = blobFetches({
    context,
    streams: semaphore(streamsAtOnce),
    stallMilliseconds: answerMilliseconds,
  });
  const requests = options.metrics.counter({
    name: "pull_through_cache_requests_total",
    help: "Manifests asked for in repositories that are caches: hit (here and current), miss (asked of the upstream), stale (the upstream failed, the cached one was served), unknown (not there either), failed (the upstream failed and nothing was here).",
    labels: ["outcome"],
  });
  const cache = pullThrough({
    context,
    rules: ruleTable(context.metadata.read, clock),
    upstreamFor: known.upstreamFor,
    blobs,
    imports: imageImports({ context, blobs, images: semaphore(imagesAtOnce) }),
    settings: {
      tagFreshMilliseconds: fresh.tagFreshness.milliseconds,
      referrersFreshMilliseconds: fresh.referrersFreshness.milliseconds,
      unknownFreshMilliseconds: fresh.unknownFreshness.milliseconds,
      failureFreshMilliseconds: fresh.failureFreshness.milliseconds,
    },
    count: (outcome: PullThroughOutcome) => requests.series({ outcome }).add(1),
    log,
  });
  return { cache, upstreams: known };
}

/** A secret of the registry's own account and region, as ECR wants it. @throws SecretUnreadable */
async function readCredentials(
  secrets: SecretsContext,
  account: string,
  arn: string,
): Promise<string> {
  const named = secretNameOf(arn, { region: secrets.registry.region, account });
  if (named === undefined || named.account !== account) {
    throw new SecretUnreadable(
      "UnableToAccessSecretException",
      "The secret must be of the registry's own account and region",
    );
  }
  try {
    return await readSecretValue(secrets, account, named.name);
  } catch (error) {
    if (error instanceof SecretError) {
      const type =
        error.failure === "unknown" ? "SecretNotFoundException" : "UnableToAccessSecretException";
      throw new SecretUnreadable(type, error.message);
    }
    if (!(error instanceof SecretDecryptionError)) throw error;
    throw new SecretUnreadable("UnableToDecryptSecretValueException", error.message);
  }
}
