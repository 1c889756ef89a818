/**
 * Tokens of the OpenID Connect issuers that the configuration names: a pipeline's, a Kubernetes
 * service account's. Signature, issuer, audience and end are checked; who may do what with one is
 * for trust policies, which see its subject and audience as condition keys.
 * https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
 */
import {
  createRemoteJWKSet,
  customFetch,
  decodeJwt,
  errors,
  type JWTPayload,
  jwtVerify,
} from "jose";
import * as v from "valibot";
import type { Clock } from "../../runtime/clock.ts";
import { IdentityError } from "./identity-error.ts";

export interface IdentityProvider {
  /** As in the tokens' `iss`, for example `https://token.actions.example.com`. */
  readonly issuer: string;
  /** One of them must be in a token's `aud`. */
  readonly audiences: readonly string[];
}

export interface WebIdentity {
  /** The issuer without its scheme, as ARNs and condition keys have it. */
  readonly provider: string;
  readonly issuer: string;
  readonly subject: string;
  readonly audience: string;
}

export interface WebIdentities {
  /** @throws IdentityError InvalidIdentityToken, ExpiredTokenException, IDPCommunicationError */
  verify(token: string): Promise<WebIdentity>;
}

export interface WebIdentitiesOptions {
  readonly providers: readonly IdentityProvider[];
  readonly clock: Clock;
  readonly fetch: (url: string, options: RequestInit) => Promise<Response>;
}

const discoverySchema = v.object({ issuer: v.string(), jwks_uri: v.pipe(v.string(), v.url()) });
const algorithms = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "EdDSA"];
const timeoutMilliseconds = 5000;

export function webIdentities({ providers, clock, fetch }: WebIdentitiesOptions): WebIdentities {
  type KeySet = ReturnType<typeof createRemoteJWKSet>;
  const keySets = new Map<string, Promise<KeySet>>();

  async function discover(issuer: string): Promise<KeySet> {
    const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
    const signal = AbortSignal.timeout(timeoutMilliseconds);
    const response = await fetch(url, { signal, redirect: "error" });
    const document = v.parse(discoverySchema, await response.json());
    if (document.issuer !== issuer) throw new Error("the issuer calls itself by another name");
    return createRemoteJWKSet(new URL(document.jwks_uri), {
      timeoutDuration: timeoutMilliseconds,
      [customFetch]: fetch,
    });
  }

  function keysOf(issuer: string): Promise<KeySet> {
    const known = keySets.get(issuer);
    if (known !== undefined) return known;
    const found = discover(issuer);
    keySets.set(issuer, found);
    // The next token tries again.
    found.catch(() => keySets.delete(issuer));
    return found;
  }

  return {
    async verify(token) {
      const claimed = unverified(token);
      const provider = providers.find(({ issuer }) => issuer === claimed.iss);
      if (provider === undefined) {
        throw invalid("No OpenIDConnect provider found in your account for the token's issuer");
      }
      const { issuer, audiences } = provider;
      try {
        const { payload } = await jwtVerify(token, await keysOf(issuer), {
          issuer,
          audience: [...audiences],
          algorithms,
          currentDate: new Date(clock.now()),
          requiredClaims: ["sub", "exp", "aud"],
        });
        const given = typeof payload.aud === "string" ? [payload.aud] : (payload.aud ?? []);
        const audience = given.find((name) => audiences.includes(name)) ?? "";
        const subject = payload.sub ?? "";
        return { provider: issuer.replace(/^https?:\/\//, ""), issuer, subject, audience };
      } catch (error) {
        throw refusal(error);
      }
    },
  };
}

function unverified(token: string): JWTPayload {
  try {
    return decodeJwt(token);
  } catch {
    throw invalid("The ID Token provided is not a valid JWT.");
  }
}

function refusal(error: unknown): IdentityError {
  if (error instanceof errors.JWTExpired) {
    return new IdentityError("ExpiredTokenException", "Token expired", { cause: error });
  }
  if (error instanceof errors.JWTClaimValidationFailed && error.claim === "aud") {
    return invalid("Incorrect token audience");
  }
  const isToken =
    error instanceof errors.JWTClaimValidationFailed ||
    error instanceof errors.JWSSignatureVerificationFailed ||
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWSInvalid ||
    error instanceof errors.JWTInvalid ||
    error instanceof errors.JOSEAlgNotAllowed;
  if (isToken) return invalid("The token's signature or claims are not valid.");
  return new IdentityError(
    "IDPCommunicationError",
    "The identity provider's keys could not be read.",
    { cause: error },
  );
}

function invalid(message: string): IdentityError {
  return new IdentityError("InvalidIdentityToken", message);
}
