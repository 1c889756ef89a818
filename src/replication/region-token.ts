/**
 * How regions know each other: a token that the source signs with its Ed25519 key for one
 * destination, good for a minute, checked against the key that the destination's chart has.
 * https://www.rfc-editor.org/rfc/rfc8037 (EdDSA in JSON Web Tokens)
 */
import { decodeJwt, importJWK, jwtVerify, SignJWT } from "jose";
import type { Clock } from "../runtime/clock.ts";
import { acceptedKeys, type Chart, findRegion } from "./chart.ts";

/** Both halves as in RFC 8037: 32 bytes each, in base64url. */
export interface RegionKey {
  readonly publicKey: string;
  readonly privateKey: string;
}

const algorithm = "EdDSA";
const lifetimeMilliseconds = 60_000;
const renewalMilliseconds = 30_000;
/** How far the clocks of two regions may be apart before their tokens are refused. */
const clockToleranceSeconds = 60;
/** Longer than any token of ours; bounds the work before a signature is checked. */
const tokenLengthLimit = 4096;

export interface RegionTokens {
  /** The value of an Authorization header for requests to `destination`. */
  authorization(destination: string): Promise<string>;
  /**
   * The destination did not accept it. It may not have heard of this region's new key yet, or not
   * accept the old one any more.
   * @returns true when there is another key, which is used from now on
   */
  refused(destination: string): boolean;
}

/** The key of now, and the one before it as long as it is kept. */
export interface RegionKeys {
  readonly current: RegionKey;
  readonly previous?: RegionKey | undefined;
}

export function regionTokens(
  region: string,
  key: RegionKey | (() => RegionKeys),
  clock: Pick<Clock, "now">,
): RegionTokens {
  const keys = typeof key === "function" ? key : () => ({ current: key, previous: undefined });
  const cached = new Map<string, { authorization: string; issuedAt: number; key: RegionKey }>();
  /** Destinations that want the key before the present one. */
  const behind = new Set<string>();
  const keyFor = (destination: string) => {
    const { current, previous } = keys();
    return behind.has(destination) ? (previous ?? current) : current;
  };
  return {
    async authorization(destination) {
      const now = clock.now();
      const key = keyFor(destination);
      const cachedToken = cached.get(destination);
      const known = cachedToken?.key === key ? cachedToken : undefined;
      const age = now - (known?.issuedAt ?? Number.NaN);
      // Negative when the clock was set back: the token would be from the future.
      if (known !== undefined && age >= 0 && age < renewalMilliseconds) return known.authorization;
      const token = await new SignJWT()
        .setProtectedHeader({ alg: algorithm })
        .setIssuer(region)
        .setAudience(destination)
        .setIssuedAt(Math.floor(now / 1000))
        .setExpirationTime(Math.floor((now + lifetimeMilliseconds) / 1000))
        .sign(await importJWK(privateJwk(key), algorithm));
      const authorization = `Bearer ${token}`;
      cached.set(destination, { authorization, issuedAt: now, key });
      return authorization;
    },
    refused(destination) {
      if (keys().previous === undefined) return false;
      if (!behind.delete(destination)) behind.add(destination);
      return true;
    },
  };
}

const privateJwk = ({ publicKey: x, privateKey: d }: RegionKey) => ({
  ...{ kty: "OKP", crv: "Ed25519" },
  ...{ x, d },
});

export class RegionTokenError extends Error {
  override readonly name = "RegionTokenError";
  /** 401: no valid token; 403: a region that may not talk to this one. */
  readonly status: 401 | 403;
  constructor(status: 401 | 403, text: string) {
    super(text);
    this.status = status;
  }
}

export interface RegionTokenVerifier {
  /**
   * @returns the name of the region that sent the request
   * @throws RegionTokenError
   */
  verify(authorization: string | null): Promise<string>;
}

export function regionTokenVerifier(
  region: string,
  chart: Chart,
  clock: Pick<Clock, "now">,
): RegionTokenVerifier {
  return {
    async verify(authorization) {
      const token = /^Bearer ([A-Za-z0-9._-]+)$/i.exec(authorization ?? "")?.[1];
      if (token === undefined || token.length > tokenLengthLimit) {
        throw new RegionTokenError(401, "a token of a region is required");
      }
      const source = findRegion(chart, issuerOf(token));
      if (source === undefined) {
        throw new RegionTokenError(403, "the token's region is not in the chart");
      }
      const keys = acceptedKeys(source, clock.now());
      for (const [i, x] of keys.entries()) {
        const jwk = { kty: "OKP", crv: "Ed25519", x };
        try {
          await jwtVerify(token, await importJWK(jwk, algorithm), {
            algorithms: [algorithm],
            issuer: source.name,
            audience: region,
            requiredClaims: ["iat", "exp"],
            maxTokenAge: lifetimeMilliseconds / 1000,
            clockTolerance: clockToleranceSeconds,
            currentDate: new Date(clock.now()),
          });
          break;
        } catch (error) {
          const isOtherKeys = (error as { code?: unknown }).code === signatureFailed;
          if (!isOtherKeys || i === keys.length - 1) throw refusal(error);
        }
      }
      return source.name;
    },
  };
}

const signatureFailed = "ERR_JWS_SIGNATURE_VERIFICATION_FAILED";

/** Not verified: it only selects the key that the signature must match. */
function issuerOf(token: string): string {
  try {
    return decodeJwt(token).iss ?? "";
  } catch {
    throw new RegionTokenError(401, "the token is malformed");
  }
}

function refusal(error: unknown): RegionTokenError {
  const { code, claim } = error as { code?: string; claim?: string };
  if (code === "ERR_JWT_EXPIRED") return new RegionTokenError(401, "the token has expired");
  if (code === "ERR_JWT_CLAIM_VALIDATION_FAILED") {
    return claim === "aud"
      ? new RegionTokenError(403, "the token is for another region")
      : new RegionTokenError(401, `the token's claim '${claim}' is not valid`);
  }
  return new RegionTokenError(401, "the token is not valid");
}
