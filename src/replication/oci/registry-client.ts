/**
 * Requests to a registry of anybody: credentials go to it and to its token service alone, redirects
 * are followed without them, and a registry that asks for patience is left alone.
 * https://distribution.github.io/distribution/spec/auth/token/
 */
import * as v from "valibot";
import { ReplicationFailure } from "../failure.ts";
import { type HttpAnswer, type HttpExchangePorts, httpExchange } from "../http-exchange.ts";
import { sharedWork } from "../shared-work.ts";
import { parseRegistryChallenge, type RegistryChallenge } from "./challenge.ts";
import { isInternalHost } from "./internal-host.ts";
import type { OciRegistry } from "./registry.ts";
import { parseJson, registryFailure } from "./registry-failure.ts";

export interface RegistryRequest {
  readonly method: "HEAD" | "GET" | "POST" | "PATCH" | "PUT";
  /** A path of the registry, or a URL that it gave. */
  readonly target: string | URL;
  /** The repositories that the request needs, the first one for writing. */
  readonly repositories: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly bytes?: Blob | undefined;
  /** Beside the ordinary time for an answer. */
  readonly extraMilliseconds?: number;
  readonly answerBytesLimit?: number;
  readonly signal: AbortSignal;
  readonly onSent?: ((bytes: number) => void) | undefined;
}

export interface RegistryAnswer extends HttpAnswer {
  /** What `Location` in the answer is relative to. */
  readonly url: URL;
}

export interface RegistryClient {
  readonly name: string;
  /** Answers of every status but 401 and 429. @throws ReplicationFailure */
  request(request: RegistryRequest): Promise<RegistryAnswer>;
}

const redirectsLimit = 5;
const redirectStatuses = new Set([301, 302, 303, 307, 308]);
const errorBytesLimit = 64 * 1024;
const tokenBytesLimit = 256 * 1024;
const authorizationsLimit = 1000;
/** What a token service promises at least, when it does not say. */
const defaultTokenSeconds = 60;
/** A password may be changed in its file. */
const passwordSeconds = 60;
const defaultPatienceMilliseconds = 1000;
const longestPatienceMilliseconds = 3_600_000;

const tokenAnswer = v.object({
  token: v.optional(v.string()),
  access_token: v.optional(v.string()),
  expires_in: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(86_400 * 365))),
});

interface Authorization {
  readonly header: string | undefined;
  readonly until: number;
}

export function registryClient(registry: OciRegistry, ports: HttpExchangePorts): RegistryClient {
  const { clock, settings } = ports;
  const { name } = registry;
  const origin = new URL(registry.endpoint).origin;
  const authorizations = new Map<string, Authorization>();
  const authorizing = sharedWork<string | undefined>();
  let challenge: RegistryChallenge | undefined;
  let patientUntil = 0;

  function mayFollow(url: URL): boolean {
    if (url.origin === origin) return true;
    const secure = url.protocol === "https:" || origin.startsWith("http:");
    // Else a registry could make this server ask what only this server can reach.
    return secure && (isInternalHost(new URL(origin).hostname) || !isInternalHost(url.hostname));
  }

  function rest(answer: HttpAnswer): void {
    if (answer.status !== 429 && answer.status !== 503) return;
    const asked = retryAfterMilliseconds(answer.headers.get("retry-after"), clock.now());
    if (asked === undefined && answer.status === 503) return;
    patientUntil = clock.now() + (asked ?? defaultPatienceMilliseconds);
  }

  async function follow(
    request: RegistryRequest,
    authorization: string | undefined,
  ): Promise<RegistryAnswer> {
    let url = new URL(request.target, registry.endpoint);
    for (let redirects = 0; redirects <= redirectsLimit; redirects++) {
      if (!mayFollow(url)) {
        throw new ReplicationFailure(
          "protocol_unsupported",
          `${name} points to a place where credentials and images must not go`,
        );
      }
      const answer = await httpExchange(ports, {
        url: url.href,
        method: request.method,
        headers: {
          ...request.headers,
          ...(request.bytes !== undefined && { "content-length": String(request.bytes.size) }),
          ...(url.origin === origin && authorization !== undefined && { authorization }),
        },
        bytes: request.bytes,
        answerMilliseconds: settings.answerMilliseconds + (request.extraMilliseconds ?? 0),
        answerBytesLimit: request.answerBytesLimit ?? errorBytesLimit,
        redirect: "manual",
        signal: request.signal,
        onSent: request.onSent ?? (() => {}),
      });
      rest(answer);
      const location = answer.headers.get("location");
      if (!redirectStatuses.has(answer.status) || location === null) return { ...answer, url };
      if (!URL.canParse(location, url.href)) break;
      url = new URL(location, url);
    }
    throw new ReplicationFailure("protocol_unsupported", `${name} redirects without end`);
  }

  async function authorize(
    scopes: readonly string[],
    refused: boolean,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const key = scopes.join(" ");
    const known = authorizations.get(key);
    if (!refused && known !== undefined && clock.now() < known.until) return known.header;
    if (challenge === undefined) return undefined;
    const asked = challenge;
    return authorizing.run(`${key} ${refused}`, signal, async (shared) => {
      const password = await registry.credentials.password(refused, shared);
      const basic =
        password &&
        `Basic ${Buffer.from(`${password.username}:${password.password}`).toString("base64")}`;
      const found =
        asked.scheme === "basic"
          ? { header: basic, until: clock.now() + passwordSeconds * 1000 }
          : await fetchToken(asked, scopes, basic, shared);
      if (authorizations.size >= authorizationsLimit) authorizations.clear();
      authorizations.set(key, found);
      return found.header;
    });
  }

  async function fetchToken(
    { realm, service }: RegistryChallenge & { scheme: "bearer" },
    scopes: readonly string[],
    basic: string | undefined,
    signal: AbortSignal,
  ): Promise<Authorization> {
    if (!mayFollow(realm)) {
      throw new ReplicationFailure(
        "protocol_unsupported",
        `${name} names a token service where credentials must not go`,
      );
    }
    const url = new URL(realm);
    if (service !== undefined) url.searchParams.set("service", service);
    for (const scope of scopes) url.searchParams.append("scope", scope);
    const answer = await httpExchange(ports, {
      url: url.href,
      method: "GET",
      headers: { accept: "application/json", ...(basic !== undefined && { authorization: basic }) },
      answerMilliseconds: settings.answerMilliseconds,
      answerBytesLimit: tokenBytesLimit,
      redirect: "manual",
      signal,
      onSent() {},
    });
    rest(answer);
    if (answer.status !== 200) {
      const refused = answer.status === 400 || answer.status === 403;
      const shown = refused ? { ...answer, status: 401 } : answer;
      throw registryFailure(`the token service of ${name}`, "the credentials", shown);
    }
    const parsed = v.safeParse(tokenAnswer, parseJson(answer.bytes));
    const token = parsed.success ? (parsed.output.token ?? parsed.output.access_token) : undefined;
    if (!parsed.success || token === undefined || !/^[\x21-\x7e]+$/.test(token)) {
      throw new ReplicationFailure(
        "protocol_unsupported",
        `the token service of ${name} gives no token`,
      );
    }
    const seconds = parsed.output.expires_in ?? defaultTokenSeconds;
    return { header: `Bearer ${token}`, until: clock.now() + seconds * 800 };
  }

  return {
    name,
    async request(request) {
      const wait = patientUntil - clock.now();
      // More than the longest: the clock was set back.
      if (wait > 0 && wait <= longestPatienceMilliseconds) {
        throw new ReplicationFailure("rate_limited", `${name} asks to wait`);
      }
      const scopes = request.repositories.map(
        (repository, i) => `repository:${repository}:${i === 0 ? "pull,push" : "pull"}`,
      );
      let authorization = await authorize(scopes, false, request.signal);
      let answer = await follow(request, authorization);
      if (answer.status === 401 && answer.url.origin === origin) {
        const asked = parseRegistryChallenge(answer.headers.get("www-authenticate"));
        if (asked === undefined) throw registryFailure(name, "the credentials", answer);
        challenge = asked;
        authorization = await authorize(scopes, authorization !== undefined, request.signal);
        if (authorization === undefined) throw registryFailure(name, "no credentials", answer);
        answer = await follow(request, authorization);
      }
      if (answer.status === 401 && challenge?.scheme === "bearer") {
        // The token service knows the credentials; the registry does not take its token for this.
        throw registryFailure(name, `a token for ${scopes.join(" ")}`, { ...answer, status: 403 });
      }
      if (answer.status === 401) throw registryFailure(name, "the credentials", answer);
      if (answer.status === 429) throw registryFailure(name, "a request", answer);
      return answer;
    },
  };
}

/** @returns milliseconds from now, bounded; undefined when the header says nothing */
export function retryAfterMilliseconds(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const text = header.trim();
  const asked = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  if (Number.isNaN(asked)) return undefined;
  return Math.min(Math.max(asked, 0), longestPatienceMilliseconds);
}
