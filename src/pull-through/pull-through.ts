/**
 * The pull-through cache as the protocols see it. A pull asks here first; nearly always the answer is
 * that the registry itself can serve it. Otherwise the upstream is asked: its answer is served while
 * the image is brought in behind it.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache-working-pulling.html
 */
import type { Digest } from "../image/digest.ts";
import { selectLinkedBlob } from "../metadata/queries/blobs.ts";
import { selectManifestByDigest, selectManifestByTag } from "../metadata/queries/manifests.ts";
import { selectRepository } from "../metadata/queries/repositories.ts";
import type { ChangeObserver, RegistryContext, RepositoryAddress } from "../registry/context.ts";
import { ensureRepository } from "../registry/create-repository.ts";
import { RegistryError } from "../registry/errors.ts";
import type { ManifestReferenceInput } from "../registry/find-manifest.ts";
import {
  type NamedPullThroughRule,
  type UpstreamRepository,
  upstreamOf,
} from "../registry/pull-through-rules.ts";
import { readManifest } from "../registry/push-manifest.ts";
import type { BlobFetch, BlobFetches } from "./blob-fetches.ts";
import { freshness } from "./freshness.ts";
import { type ImageImports, isExpectedFailure } from "./image-imports.ts";
import type { RuleTable } from "./rule-table.ts";
import type { Upstream, UpstreamManifest } from "./upstream.ts";
import { asRegistryError, UpstreamError } from "./upstream-error.ts";

/** Who pulls, as far as it matters here. */
export interface Puller {
  /** ARN of the principal: what is pushed is pushed in its name. */
  readonly actor: string;
  /** Whether the caller may do all of these on the repository; recorded in the audit. */
  mayImport(actions: readonly string[]): Promise<boolean>;
}

export interface PullThrough {
  readonly observer: ChangeObserver;
  /**
   * Before a manifest is looked up. Undefined (and not even a promise, where no rule is near) when
   * the registry has what there is to answer.
   * @param whole waits until the image is in the repository; then it never answers with a manifest
   * @throws RegistryError manifest_unknown, upstream_unavailable, upstream_denied,
   *   upstream_rate_limited, repository_unknown
   */
  manifest(
    address: RepositoryAddress,
    reference: ManifestReferenceInput,
    puller: Puller,
    whole?: boolean,
  ): Promise<UpstreamManifest | undefined> | undefined;
  /** Before a blob is looked up: a fetch when it is not here yet. The same errors. */
  blob(
    address: RepositoryAddress,
    digest: Digest,
    puller: Puller,
  ): Promise<BlobFetch | undefined> | undefined;
  /** Before referrers are listed: brings in those that the upstream has. Failures are passed over. */
  referrers(address: RepositoryAddress, subject: Digest, puller: Puller): Promise<void> | undefined;
  stop(): Promise<void>;
}

export type PullThroughOutcome = "hit" | "miss" | "stale" | "unknown" | "failed";

export interface PullThroughSettings {
  /** A tag is compared with the upstream's when its last comparison is older. */
  readonly tagFreshMilliseconds: number;
  readonly referrersFreshMilliseconds: number;
  /** That the upstream has no such image is believed for so long. */
  readonly unknownFreshMilliseconds: number;
  /** After a failure of the upstream a cached tag is served for so long without asking. */
  readonly failureFreshMilliseconds: number;
}

export interface PullThroughOptions {
  readonly context: RegistryContext;
  readonly rules: RuleTable;
  readonly upstreamFor: (account: string, rule: NamedPullThroughRule) => Upstream;
  readonly blobs: BlobFetches;
  readonly imports: ImageImports;
  readonly settings: PullThroughSettings;
  readonly count: (outcome: PullThroughOutcome) => void;
  readonly log: { warn(fields: object, text: string): void };
}

const referrersLimit = 200;

export function pullThrough(options: PullThroughOptions): PullThrough {
  const { context, rules, upstreamFor, blobs, imports, settings, count, log } = options;
  const { metadata, clock } = context;
  const checks = freshness(clock);
  const looking = new Map<string, Promise<UpstreamManifest | undefined>>();
  const stopping = new AbortController();

  interface Source extends UpstreamRepository {
    readonly upstream: Upstream;
    readonly host: string;
  }

  /** Calls `then` with the repository's upstream; undefined, without a promise, when it has none. */
  function withSource<T>(
    { account, repository }: RepositoryAddress,
    then: (source: Source) => Promise<T | undefined>,
  ): Promise<T | undefined> | undefined {
    const known = rules.rulesOf(account);
    if (!(known instanceof Promise)) return found(known);
    return known.then(found);

    function found(list: readonly NamedPullThroughRule[]): Promise<T | undefined> | undefined {
      if (list.length === 0) return undefined;
      const repositoryThere = upstreamOf(list, repository);
      if (repositoryThere === undefined) return undefined;
      const host = repositoryThere.rule.rule.upstreamRegistryUrl;
      return then({
        ...repositoryThere,
        host,
        upstream: upstreamFor(account, repositoryThere.rule),
      });
    }
  }

  /**
   * The repository to bring things into.
   * @returns undefined when the caller may not import; without an id when it has to be made, which
   *   the caller may
   */
  async function repositoryFor(
    address: RepositoryAddress,
    puller: Puller,
  ): Promise<{ id: number | undefined } | undefined> {
    const { account, repository } = address;
    const existing = await selectRepository(metadata.read, account, repository);
    const actions = ["ecr:BatchImportUpstreamImage"];
    if (existing === undefined) actions.push("ecr:CreateRepository");
    return (await puller.mayImport(actions)) ? { id: existing?.id } : undefined;
  }

  async function manifest(
    source: Source,
    address: RepositoryAddress,
    reference: ManifestReferenceInput,
    puller: Puller,
    whole: boolean,
  ): Promise<UpstreamManifest | undefined> {
    const { account, repository } = address;
    const named = "tag" in reference ? reference.tag : reference.digest;
    const row =
      "tag" in reference
        ? await selectManifestByTag(metadata.read, account, repository, reference.tag)
        : await selectManifestByDigest(metadata.read, account, repository, reference.digest);
    const key = `${account}/${repository} ${named}`;
    // What is under a digest never changes.
    const limit = "tag" in reference ? settings.tagFreshMilliseconds : Number.POSITIVE_INFINITY;
    if (row !== undefined && ("digest" in reference || checks.isFresh(key, limit))) {
      count("hit");
      return undefined;
    }
    const unknown = new RegistryError("manifest_unknown", {
      repository,
      account,
      reference: named,
    });
    if (row === undefined && checks.isFresh(`unknown ${key}`, settings.unknownFreshMilliseconds)) {
      count("unknown");
      throw unknown;
    }
    if (row !== undefined && checks.isFresh(`failed ${key}`, settings.failureFreshMilliseconds)) {
      count("stale");
      return undefined;
    }
    const target = await repositoryFor(address, puller);
    if (target === undefined) {
      // Whoever may pull and not import gets what is here.
      if (row !== undefined) return undefined;
      throw unknown;
    }
    try {
      const look = () => lookUp(source, address, target.id, reference, row?.digest, puller, whole);
      return await shared(`${key} ${whole}`, look);
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      if (error.failure === "unknown") {
        checks.note(`unknown ${key}`);
        count("unknown");
        if (row === undefined) throw unknown;
        return undefined;
      }
      log.warn(
        { upstream: source.host, repository, reference: named, error },
        "an upstream failed",
      );
      if (row === undefined) {
        count("failed");
        throw asRegistryError(error, source.host);
      }
      checks.note(`failed ${key}`);
      count("stale");
      return undefined;
    }
  }

  /** Several pulls of the same at the same time ask once. */
  function shared(
    key: string,
    look: () => Promise<UpstreamManifest | undefined>,
  ): Promise<UpstreamManifest | undefined> {
    const present = looking.get(key);
    if (present !== undefined) return present;
    const started = look().finally(() => looking.delete(key));
    looking.set(key, started);
    return started;
  }

  async function lookUp(
    { upstream, name, host }: Source,
    address: RepositoryAddress,
    repositoryId: number | undefined,
    reference: ManifestReferenceInput,
    present: string | undefined,
    puller: Puller,
    whole: boolean,
  ): Promise<UpstreamManifest | undefined> {
    const { account, repository } = address;
    const { signal } = stopping;
    const tag = "tag" in reference ? reference.tag : undefined;
    const key = `${account}/${repository} ${tag}`;
    let wanted = "digest" in reference ? reference.digest : undefined;
    if (tag !== undefined) {
      wanted = await upstream.digestOfTag(name, tag, signal);
      if (wanted !== undefined && wanted === present) {
        checks.note(key);
        count("hit");
        return undefined;
      }
    }
    count("miss");
    const pending =
      wanted !== undefined && repositoryId !== undefined
        ? imports.pending(repositoryId, wanted)
        : undefined;
    const found = pending ?? (await upstream.manifest(name, wanted ?? tag ?? "", signal));
    // What this registry could not keep is not served either.
    readManifest(context, found.bytes, found.mediaType);
    // Only now: a name that the upstream does not know leaves no repository behind.
    const { id } = await metadata.transaction((tx) =>
      ensureRepository(context, tx, { ...address, actor: puller.actor }, "PULL_THROUGH_CACHE"),
    );
    const importing = imports.run({
      account,
      repository,
      repositoryId: id,
      actor: puller.actor,
      upstream,
      upstreamHost: host,
      name,
      manifest: found,
      tag,
    });
    const noted = importing.then(() => {
      if (tag !== undefined) checks.note(key);
    });
    if (whole) {
      await noted;
      return undefined;
    }
    noted.catch((error: unknown) => {
      const level = isExpectedFailure(error) ? "an import failed" : "an import failed unexpectedly";
      log.warn({ upstream: host, repository, digest: found.digest, error }, level);
    });
    return found;
  }

  async function blob(
    source: Source,
    address: RepositoryAddress,
    digest: Digest,
    puller: Puller,
  ): Promise<BlobFetch | undefined> {
    const { account, repository } = address;
    const linked = await selectLinkedBlob(metadata.read, account, repository, digest);
    if (linked !== undefined) return undefined;
    const key = `unknown ${account}/${repository} ${digest}`;
    if (checks.isFresh(key, settings.unknownFreshMilliseconds)) return undefined;
    const target = await repositoryFor(address, puller);
    // A pull begins with a manifest, and that makes the repository.
    if (target?.id === undefined) return undefined;
    const { upstream, name, host } = source;
    const fetch = blobs.fetch({ upstream, name, repositoryId: target.id, digest });
    try {
      await fetch.size;
      return fetch;
    } catch (error) {
      if (error instanceof UpstreamError && error.failure === "unknown") {
        checks.note(key);
        return undefined;
      }
      log.warn({ upstream: host, repository, digest, error }, "an upstream failed");
      throw asRegistryError(error, host);
    }
  }

  async function referrers(
    source: Source,
    address: RepositoryAddress,
    subject: Digest,
    puller: Puller,
  ): Promise<undefined> {
    const { account, repository } = address;
    const key = `referrers ${account}/${repository} ${subject}`;
    if (checks.isFresh(key, settings.referrersFreshMilliseconds)) return undefined;
    const target = await repositoryFor(address, puller);
    if (target?.id === undefined) return undefined;
    const { upstream, name, host } = source;
    try {
      const { signal } = stopping;
      const digests = await upstream.referrers(name, subject, signal);
      for (const digest of digests.slice(0, referrersLimit)) {
        const here = await selectManifestByDigest(metadata.read, account, repository, digest);
        if (here !== undefined) continue;
        const found = await upstream.manifest(name, digest, signal);
        await imports.run({
          account,
          repository,
          repositoryId: target.id,
          actor: puller.actor,
          upstream,
          upstreamHost: host,
          name,
          manifest: found,
          tag: undefined,
        });
      }
      checks.note(key);
    } catch (error) {
      if (!isExpectedFailure(error)) throw error;
      log.warn({ upstream: host, repository, digest: subject, error }, "referrers are not current");
    }
    return undefined;
  }

  return {
    observer: rules.observer,
    manifest: (address, reference, puller, whole = false) =>
      withSource(address, (source) => manifest(source, address, reference, puller, whole)),
    blob: (address, digest, puller) =>
      withSource(address, (source) => blob(source, address, digest, puller)),
    referrers: (address, subject, puller) =>
      withSource(address, (source) => referrers(source, address, subject, puller)),
    async stop() {
      stopping.abort(new UpstreamError("unavailable", "the registry is stopping"));
      await Promise.all([imports.stop(), blobs.stop()]);
      await Promise.allSettled([...looking.values()]);
    },
  };
}
