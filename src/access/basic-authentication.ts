/**
 * HTTP Basic, for `/v2/`: a registry token, or an access key with its secret. What was verified is
 * trusted for a while, because verifying costs more than answering most requests.
 */
import type { Clock } from "../runtime/clock.ts";
import type { Authentication } from "./access.ts";
import { equalInConstantTime } from "./constant-time.ts";
import type { AccessKeys } from "./credentials.ts";
import type { RegistryTokens } from "./tokens.ts";

export interface BasicAuthenticationOptions {
  readonly keys: AccessKeys;
  readonly tokens: RegistryTokens;
  readonly clock: Clock;
  /**
   * How long a verified Authorization header is trusted without being verified again: the longest
   * time that a key works after it was deactivated. A token is never trusted beyond its own end.
   */
  readonly trustMilliseconds?: number;
  /** Verified headers held at a time. */
  readonly trustedHeadersLimit?: number;
}

interface TrustedHeader {
  readonly authentication: Authentication;
  readonly until: number;
}

/** Longer than any token or key, shorter than a header bomb. */
const headerLengthLimit = 14_336;

export interface BasicAuthentication {
  (authorization: string | null): Promise<Authentication>;
  /** What was verified is verified again: some key has changed. */
  forgetAll(): void;
}

/** For decisions about principals that somebody only thinks of. */
export const noAuthentication: BasicAuthentication = Object.assign(
  async () => ({ failure: "missing" }) as const,
  { forgetAll() {} },
);

export function basicAuthentication(options: BasicAuthenticationOptions): BasicAuthentication {
  const { clock } = options;
  const trustMilliseconds = options.trustMilliseconds ?? 60_000;
  const trustedHeadersLimit = options.trustedHeadersLimit ?? 10_000;
  /** By SHA-256 of the header, so that no secret stays in memory as a key. Oldest first. */
  const trusted = new Map<string, TrustedHeader>();
  /** What was looked up before a change must not be trusted behind it. */
  let changes = 0;

  async function verify(header: string): Promise<Authentication> {
    const credentials = parseBasic(header);
    if (credentials === undefined) return { failure: "malformed" };
    const now = clock.now();
    const changesBefore = changes;
    const { authentication, expiresAt } =
      credentials.user === "AWS"
        ? await verifyToken(credentials.password)
        : await verifySecret(credentials.user, credentials.password);
    if ("principal" in authentication && changes === changesBefore) {
      trust(fingerprint(header), {
        authentication,
        until: Math.min(now + trustMilliseconds, expiresAt),
      });
    }
    return authentication;
  }

  async function verifyToken(token: string) {
    const verification = options.tokens.verify(token);
    if (!verification.valid) return failed(verification.failure);
    const { holder, expiresAt } = verification;
    const key = await options.keys.find(holder.accessKeyId, holder.sessionToken);
    if (key === undefined || key.principal.arn !== holder.principal.arn) return failed("invalid");
    options.keys.used?.(key, "ecr");
    return { authentication: { principal: key.principal }, expiresAt };
  }

  async function verifySecret(accessKeyId: string, secret: string) {
    const key = await options.keys.find(accessKeyId);
    if (key === undefined || !equalInConstantTime(key.secretAccessKey, secret)) {
      return failed("invalid");
    }
    options.keys.used?.(key, "ecr");
    return { authentication: { principal: key.principal }, expiresAt: Number.POSITIVE_INFINITY };
  }

  function trust(key: string, header: TrustedHeader): void {
    trusted.delete(key);
    trusted.set(key, header);
    if (trusted.size <= trustedHeadersLimit) return;
    for (const oldest of trusted.keys()) {
      trusted.delete(oldest);
      return;
    }
  }

  const authenticate = async (header: string | null): Promise<Authentication> => {
    if (header === null || header === "") return { failure: "missing" };
    if (header.length > headerLengthLimit) return { failure: "malformed" };
    const known = trusted.get(fingerprint(header));
    // A clock that was set back must not lengthen the trust.
    if (known !== undefined && isWithin(clock.now(), known.until, trustMilliseconds)) {
      return known.authentication;
    }
    return verify(header);
  };
  return Object.assign(authenticate, {
    forgetAll() {
      changes += 1;
      trusted.clear();
    },
  });
}

function isWithin(now: number, until: number, milliseconds: number): boolean {
  return now < until && now >= until - milliseconds;
}

function failed(failure: "invalid" | "expired") {
  return { authentication: { failure } as const, expiresAt: 0 };
}

function fingerprint(header: string): string {
  return Bun.CryptoHasher.hash("sha256", header, "base64");
}

/** https://www.rfc-editor.org/rfc/rfc7617 */
function parseBasic(header: string): { user: string; password: string } | undefined {
  const match = /^basic +([A-Za-z0-9+/_-]+={0,2}) *$/i.exec(header);
  if (match?.[1] === undefined) return undefined;
  const text = Buffer.from(match[1], "base64").toString("utf8");
  const colon = text.indexOf(":");
  if (colon <= 0) return undefined;
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
