/** The upstreams of an installation: which may be named, how each is reached, with what credentials. */
import * as v from "valibot";
import type { NamedPullThroughRule } from "../registry/pull-through-rules.ts";
import type { Clock } from "../runtime/clock.ts";
import { type Fetch, type Upstream, type UpstreamCredentials, upstream } from "./upstream.ts";
import { UpstreamError } from "./upstream-error.ts";

export type CredentialProblem = {
  readonly type:
    | "SecretNotFoundException"
    | "UnableToAccessSecretException"
    | "UnableToDecryptSecretValueException";
  readonly text: string;
};

export interface Upstreams {
  /** Whether the configuration lets rules name a host that AWS does not know. */
  isAllowed(host: string): boolean;
  upstreamFor(account: string, rule: NamedPullThroughRule): Upstream;
  /** Why a secret cannot serve as credentials; undefined when it can. */
  credentialProblem(account: string, arn: string): Promise<CredentialProblem | undefined>;
  /** Why a rule does not work; undefined when its upstream was reached and took the credentials. */
  validate(account: string, rule: NamedPullThroughRule): Promise<string | undefined>;
}

/** Why a secret could not be read. */
export class SecretUnreadable extends Error {
  readonly type: CredentialProblem["type"];
  constructor(type: CredentialProblem["type"], text: string) {
    super(text);
    this.type = type;
  }
}

export interface UpstreamsOptions {
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly manifestBytesLimit: number;
  readonly answerMilliseconds: number;
  /** Hosts beyond those that AWS knows. */
  readonly allowed: ReadonlySet<string>;
  /** Hosts that are spoken to without TLS; they are allowed too. */
  readonly insecure: ReadonlySet<string>;
  /** The text of a secret of the account. @throws SecretUnreadable */
  readonly readSecret: (account: string, arn: string) => Promise<string>;
}

/** https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache-creating-secret.html */
const credentials = v.object({
  username: v.pipe(v.string(), v.maxLength(4096)),
  accessToken: v.pipe(v.string(), v.maxLength(65_536)),
});

const clientsLimit = 1000;

export function upstreams(options: UpstreamsOptions): Upstreams {
  const { allowed, insecure, readSecret, ...rest } = options;
  /** Each keeps its tokens. */
  const clients = new Map<string, Upstream>();

  async function credentialsOf(account: string, arn: string): Promise<UpstreamCredentials> {
    const text = await readSecret(account, arn);
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      json = undefined;
    }
    const parsed = v.safeParse(credentials, json);
    if (!parsed.success) {
      throw new SecretUnreadable(
        "UnableToAccessSecretException",
        "The secret does not have the members username and accessToken",
      );
    }
    return { username: parsed.output.username, password: parsed.output.accessToken };
  }

  function upstreamFor(account: string, { rule }: NamedPullThroughRule): Upstream {
    const { upstreamRegistryUrl: host, credentialArn } = rule;
    const key = `${account} ${host} ${credentialArn ?? ""} ${rule.updatedAt}`;
    const present = clients.get(key);
    if (present !== undefined) return present;
    const client = upstream({
      ...rest,
      host,
      insecure: insecure.has(host),
      async credentials() {
        if (credentialArn === undefined) return undefined;
        return credentialsOf(account, credentialArn).catch((error) => {
          if (!(error instanceof SecretUnreadable)) throw error;
          throw new UpstreamError("denied", error.message, { cause: error });
        });
      },
    });
    if (clients.size >= clientsLimit) clients.clear();
    clients.set(key, client);
    return client;
  }

  return {
    isAllowed: (host) => allowed.has(host) || insecure.has(host),
    upstreamFor,
    async credentialProblem(account, arn) {
      try {
        await credentialsOf(account, arn);
        return undefined;
      } catch (error) {
        if (!(error instanceof SecretUnreadable)) throw error;
        return { type: error.type, text: error.message };
      }
    },
    async validate(account, rule) {
      try {
        // Nobody cancels it: the answer's own time limit ends it.
        await upstreamFor(account, rule).check(new AbortController().signal);
        return undefined;
      } catch (error) {
        if (!(error instanceof UpstreamError)) throw error;
        return error.message;
      }
    },
  };
}
