/**
 * An upstream registry over the OCI Distribution protocol, read only. It is not trusted: answers are
 * bounded, digests are calculated here, credentials go to the upstream and its token service alone.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 * https://distribution.github.io/distribution/spec/auth/token/
 */
import * as v from "valibot";
import { type Digest, digestAlgorithm, digestOf, parseDigest } from "../image/digest.ts";
import { mediaTypes } from "../image/media-type.ts";
import { parseRegistryChallenge, type RegistryChallenge } from "../replication/oci/challenge.ts";
import { isInternalHost } from "../replication/oci/internal-host.ts";
import type { Clock } from "../runtime/clock.ts";
import { UpstreamError } from "./upstream-error.ts";

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface UpstreamCredentials {
  readonly username: string;
  readonly password: string;
}

export interface UpstreamOptions {
  /** Host with an optional port. */
  readonly host: string;
  /** Plain HTTP, because the operator says so. */
  readonly insecure: boolean;
  readonly credentials: () => Promise<UpstreamCredentials | undefined>;
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly manifestBytesLimit: number;
  /** How long the headers of an answer, and each further piece of a small body, may take. */
  readonly answerMilliseconds: number;
}

export interface UpstreamManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface Upstream {
  /** The digest that a tag has there now; undefined when the upstream does not say. */
  digestOfTag(repository: string, tag: string, signal: AbortSignal): Promise<Digest | undefined>;
  /** @throws UpstreamError also when the bytes do not have the digest that was asked for */
  manifest(repository: string, reference: string, signal: AbortSignal): Promise<UpstreamManifest>;
  /** Digests of the manifests that refer to a subject; none when the upstream knows no referrers. */
  referrers(repository: string, subject: Digest, signal: AbortSignal): Promise<Digest[]>;
  /** The size of a blob; undefined when the upstream does not say. */
  blobSize(repository: string, digest: Digest, signal: AbortSignal): Promise<number | undefined>;
  /** The bytes from an offset on, as they come, and the size of the whole if it is told. */
  blob(
    repository: string,
    digest: Digest,
    offset: number,
    signal: AbortSignal,
  ): Promise<{ body: ReadableStream<Uint8Array>; offset: number; size: number | undefined }>;
  /** Whether it can be reached and takes the credentials. */
  check(signal: AbortSignal): Promise<void>;
}

const acceptManifests = [
  mediaTypes.ociIndex,
  mediaTypes.ociManifest,
  mediaTypes.dockerList,
  mediaTypes.dockerManifest,
  "*/*",
].join(", ");
const redirectsLimit = 5;
const tokenBytesLimit = 256 * 1024;
const tokensLimit = 1000;
/** The least that a token service promises, when it does not say. */
const tokenSeconds = 60;

const tokenAnswer = v.object({
  token: v.optional(v.pipe(v.string(), v.maxLength(65_536))),
  access_token: v.optional(v.pipe(v.string(), v.maxLength(65_536))),
  expires_in: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(86_400))),
});

const referrersAnswer = v.object({
  manifests: v.pipe(v.array(v.object({ digest: v.string() })), v.maxLength(10_000)),
});

export function upstream(options: UpstreamOptions): Upstream {
  const { host, clock } = options;
  const origin = `${options.insecure ? "http" : "https"}://${host}`;
  /** By scope: the header to send, until when. */
  const authorizations = new Map<string, { header: string; until: number }>();

  async function send(
    path: string,
    scope: string,
    init: { method?: string; headers?: Record<string, string>; signal: AbortSignal },
  ): Promise<Response> {
    const known = authorizations.get(scope);
    const header = known !== undefined && known.until > clock.now() ? known.header : undefined;
    let response = await follow(`${origin}${path}`, { ...init, authorization: header });
    if (response.status === 401) {
      await response.body?.cancel();
      const challenge = parseRegistryChallenge(response.headers.get("www-authenticate"));
      const fresh = await authorize(challenge, scope, init.signal);
      response = await follow(`${origin}${path}`, { ...init, authorization: fresh });
    }
    if (response.ok) return response;
    await response.body?.cancel();
    throw failureOf(response);
  }

  function failureOf({ status, headers }: Response): UpstreamError {
    const text = `${host} answered ${status}`;
    if (status === 404) return new UpstreamError("unknown", text);
    if (status === 401 || status === 403) return new UpstreamError("denied", text);
    if (status !== 429) return new UpstreamError("unavailable", text);
    const seconds = Number(headers.get("retry-after") ?? Number.NaN);
    return new UpstreamError("rate_limited", text, {
      ...(seconds > 0 && seconds < 86_400 && { retryAfterSeconds: Math.ceil(seconds) }),
    });
  }

  /** Follows redirects itself: the Authorization header never leaves the origin it is for. */
  async function follow(
    first: string,
    init: {
      method?: string;
      headers?: Record<string, string>;
      authorization: string | undefined;
      signal: AbortSignal;
    },
  ): Promise<Response> {
    let url = new URL(first);
    for (let redirects = 0; redirects <= redirectsLimit; redirects++) {
      const mayAuthorize = url.origin === new URL(first).origin;
      const response = await timed(url, {
        method: init.method ?? "GET",
        redirect: "manual",
        headers: {
          ...init.headers,
          ...(mayAuthorize && init.authorization && { authorization: init.authorization }),
        },
        signal: init.signal,
      });
      const location = response.headers.get("location");
      if (![301, 302, 303, 307, 308].includes(response.status) || location === null)
        return response;
      await response.body?.cancel();
      url = nextUrl(location, url);
    }
    throw new UpstreamError("invalid", `${host} redirects without end`);
  }

  function nextUrl(location: string, from: URL): URL {
    const url = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
    const sameOrigin = url?.origin === origin;
    if (
      url === undefined ||
      (!sameOrigin && (url.protocol !== "https:" || isInternalHost(url.hostname)))
    ) {
      // Else an upstream could make this server ask what only this server can reach.
      throw new UpstreamError(
        "invalid",
        `${host} redirects to where this registry does not follow`,
      );
    }
    return url;
  }

  /** Headers must come in time; what the body does is watched by whoever reads it. */
  async function timed(url: URL, init: RequestInit & { signal: AbortSignal }): Promise<Response> {
    const controller = new AbortController();
    const ended = new AbortController();
    const onAbort = () => controller.abort(init.signal.reason);
    if (init.signal.aborted) onAbort();
    init.signal.addEventListener("abort", onAbort, { once: true });
    clock.sleep(options.answerMilliseconds, ended.signal).then(() => {
      if (!ended.signal.aborted) {
        controller.abort(new UpstreamError("unavailable", `${url.host} does not answer`));
      }
    });
    try {
      return await options.fetch(url.href, { ...init, signal: controller.signal });
    } catch (error) {
      init.signal.throwIfAborted();
      if (controller.signal.reason instanceof UpstreamError) throw controller.signal.reason;
      throw new UpstreamError("unavailable", `${url.host} cannot be reached`, { cause: error });
    } finally {
      ended.abort();
    }
  }

  async function authorize(
    challenge: RegistryChallenge | undefined,
    scope: string,
    signal: AbortSignal,
  ): Promise<string> {
    const credentials = await options.credentials();
    const basic =
      credentials &&
      `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64")}`;
    if (challenge?.scheme === "basic" && basic !== undefined) {
      return remember(scope, basic, 3600);
    }
    if (challenge?.scheme !== "bearer") {
      throw new UpstreamError("denied", `${host} asks for credentials that the rule does not have`);
    }
    const realm = new URL(challenge.realm);
    if (
      realm.origin !== origin &&
      (realm.protocol !== "https:" || isInternalHost(realm.hostname))
    ) {
      throw new UpstreamError("invalid", `${host} names a token service that cannot be used`);
    }
    if (challenge.service !== undefined) realm.searchParams.set("service", challenge.service);
    realm.searchParams.set("scope", scope);
    const response = await timed(realm, {
      redirect: "manual",
      headers: { ...(basic !== undefined && { authorization: basic }) },
      signal,
    });
    if (!response.ok) {
      await response.body?.cancel();
      throw response.status === 429
        ? failureOf(response)
        : new UpstreamError("denied", `the token service of ${host} answered ${response.status}`);
    }
    const parsed = v.safeParse(tokenAnswer, await json(response, tokenBytesLimit, signal));
    const token = parsed.success ? (parsed.output.token ?? parsed.output.access_token) : undefined;
    if (!parsed.success || token === undefined || !/^[\x21-\x7e]+$/.test(token)) {
      throw new UpstreamError("invalid", `the token service of ${host} gave no token`);
    }
    return remember(scope, `Bearer ${token}`, (parsed.output.expires_in ?? tokenSeconds) * 0.8);
  }

  function remember(scope: string, header: string, seconds: number): string {
    if (authorizations.size >= tokensLimit) authorizations.clear();
    authorizations.set(scope, { header, until: clock.now() + seconds * 1000 });
    return header;
  }

  async function json(response: Response, limit: number, signal: AbortSignal): Promise<unknown> {
    const bytes = await body(response, limit, signal);
    try {
      return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    } catch {
      throw new UpstreamError("invalid", `${host} did not answer in JSON`);
    }
  }

  async function body(
    response: Response,
    limit: number,
    signal: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of paced(response.body, clock, options.answerMilliseconds, signal)) {
      size += chunk.byteLength;
      if (size > limit) throw new UpstreamError("invalid", `an answer of ${host} is too large`);
      chunks.push(chunk);
    }
    return new Uint8Array(Buffer.concat(chunks));
  }

  const pull = (repository: string) => `repository:${repository}:pull`;
  const mediaTypeOf = (response: Response) =>
    response.headers.get("content-type")?.split(";")[0]?.trim() ?? mediaTypes.ociManifest;

  return {
    async digestOfTag(repository, tag, signal) {
      const response = await send(`/v2/${repository}/manifests/${tag}`, pull(repository), {
        method: "HEAD",
        headers: { accept: acceptManifests },
        signal,
      });
      return parseDigest(response.headers.get("docker-content-digest") ?? "");
    },
    async manifest(repository, reference, signal) {
      const response = await send(`/v2/${repository}/manifests/${reference}`, pull(repository), {
        headers: { accept: acceptManifests },
        signal,
      });
      const bytes = await body(response, options.manifestBytesLimit, signal);
      const wanted = parseDigest(reference);
      const digest = digestOf(bytes, wanted && digestAlgorithm(wanted));
      if (wanted !== undefined && wanted !== digest) {
        throw new UpstreamError("invalid", `${host} answered ${wanted} with other bytes`);
      }
      return { digest, mediaType: mediaTypeOf(response), bytes };
    },
    async referrers(repository, subject, signal) {
      const path = `/v2/${repository}/referrers/${subject}`;
      const response = await send(path, pull(repository), { signal }).catch((error) => {
        if (error instanceof UpstreamError && error.failure === "unknown") return undefined;
        throw error;
      });
      if (response === undefined) return [];
      const parsed = v.safeParse(
        referrersAnswer,
        await json(response, options.manifestBytesLimit, signal),
      );
      if (!parsed.success) return [];
      return parsed.output.manifests.flatMap(({ digest }) => parseDigest(digest) ?? []);
    },
    async blobSize(repository, digest, signal) {
      const response = await send(`/v2/${repository}/blobs/${digest}`, pull(repository), {
        method: "HEAD",
        signal,
      });
      return lengthOf(response);
    },
    async blob(repository, digest, offset, signal) {
      const response = await send(`/v2/${repository}/blobs/${digest}`, pull(repository), {
        headers: {
          "accept-encoding": "identity",
          ...(offset > 0 && { range: `bytes=${offset}-` }),
        },
        signal,
      });
      const partial = /^bytes (\d{1,15})-\d{1,15}\/(\d{1,15})$/.exec(
        (response.status === 206 && response.headers.get("content-range")) || "",
      );
      if (response.body === null) throw new UpstreamError("invalid", `${host} sent no body`);
      return partial === null
        ? { body: response.body, offset: 0, size: lengthOf(response) }
        : { body: response.body, offset: Number(partial[1]), size: Number(partial[2]) };
    },
    async check(signal) {
      const response = await send("/v2/", "", { signal });
      await response.body?.cancel();
    },
  };
}

function lengthOf(response: Response): number | undefined {
  const text = response.headers.get("content-length") ?? "";
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** The chunks of a body; one that stands still for too long is given up. */
export async function* paced(
  body: ReadableStream<Uint8Array> | null,
  clock: Clock,
  stallMilliseconds: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  if (body === null) return;
  const reader = body.getReader();
  let giveUp: ((error: unknown) => void) | undefined;
  let stopped: { error: unknown } | undefined;
  const stop = (error: unknown) => {
    stopped ??= { error };
    giveUp?.(error);
  };
  const onAbort = () => stop(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  const ended = new AbortController();
  let reads = 0;
  async function watch(): Promise<void> {
    for (let seen = -1; ; seen = reads) {
      await clock.sleep(stallMilliseconds, ended.signal);
      if (ended.signal.aborted) return;
      if (seen === reads) stop(new UpstreamError("unavailable", "the upstream stopped sending"));
    }
  }
  watch();
  try {
    for (;;) {
      // Not Promise.race with one long-lived promise: it would gather a reaction per chunk.
      const { value } = await new Promise<{ readonly value?: Uint8Array | undefined }>(
        (resolve, reject) => {
          giveUp = reject;
          if (stopped !== undefined) return reject(stopped.error);
          reader.read().then(resolve, (cause: unknown) => {
            reject(new UpstreamError("unavailable", "the upstream broke off", { cause }));
          });
        },
      );
      reads++;
      if (value === undefined) return;
      yield value;
    }
  } finally {
    ended.abort();
    signal.removeEventListener("abort", onAbort);
    reader.cancel().catch(() => {});
  }
}
