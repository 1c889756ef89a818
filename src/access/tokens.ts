/**
 * Registry tokens: what `GetAuthorizationToken` gives out, the password of the user `AWS` on
 * `/v2/`. They are stateless: a token carries its principal and its end, signed under a key that
 * is derived from the installation's key and the region's name, so that a token of another region
 * is as good as none.
 *
 * Form: `1.<payload>.<signature>`, both parts base64url, with the session token of temporary
 * credentials between them: `2.<payload>.<session token>.<signature>`. No colon: `aws ecr
 * get-login-password` splits at colons. Permissions are not in it: they are those of the principal when it is used.
 */
import { createHmac } from "node:crypto";
import * as v from "valibot";
import type { Clock } from "../runtime/clock.ts";
import type { Principal } from "./access.ts";
import { equalInConstantTime } from "./constant-time.ts";
import { deriveKey } from "./installation-key.ts";

export interface TokenHolder {
  /** The rest of the principal is what the key says when the token is used. */
  readonly principal: Pick<Principal, "arn" | "account">;
  /** The key that the token was asked for with; when it ends, the token ends. */
  readonly accessKeyId: string;
  /** Of temporary credentials, and their end, which is the token's too. */
  readonly sessionToken?: string | undefined;
  readonly expiresAt?: number | undefined;
}

export interface IssuedToken {
  readonly token: string;
  /** Milliseconds since the Unix epoch. */
  readonly expiresAt: number;
}

export type TokenVerification =
  | { readonly valid: true; readonly holder: TokenHolder; readonly expiresAt: number }
  | { readonly valid: false; readonly failure: "invalid" | "expired" };

export interface RegistryTokens {
  issue(holder: TokenHolder): IssuedToken;
  verify(token: string): TokenVerification;
}

export interface RegistryTokensOptions {
  readonly installationKey: Uint8Array;
  readonly region: string;
  readonly clock: Clock;
  readonly lifetimeMilliseconds?: number;
}

const twelveHours = 12 * 3600_000;
/** A token has about 200 characters; an ARN may have 2048, a session token 6144. */
const tokenLengthLimit = 10_240;

const payloadSchema = v.tuple([v.string(), v.string(), v.string(), v.number()]);

export function registryTokens(options: RegistryTokensOptions): RegistryTokens {
  const { clock, lifetimeMilliseconds = twelveHours } = options;
  const key = deriveKey(options.installationKey, `registry tokens of ${options.region}`);
  const sign = (text: string) => createHmac("sha256", key).update(text).digest("base64url");
  return {
    issue({ principal, accessKeyId, sessionToken, expiresAt: end = Infinity }) {
      // Whole seconds, as ECR reports the end.
      const expiresAt = Math.floor(Math.min(clock.now() + lifetimeMilliseconds, end) / 1000) * 1000;
      const payload = JSON.stringify([
        principal.account,
        principal.arn,
        accessKeyId,
        expiresAt / 1000,
      ]);
      const encoded = Buffer.from(payload, "utf8").toString("base64url");
      const signed = sessionToken === undefined ? `1.${encoded}` : `2.${encoded}.${sessionToken}`;
      return { token: `${signed}.${sign(signed)}`, expiresAt };
    },
    verify(token) {
      const parts = token.split(".", 5);
      const [version, payload, ...rest] = parts;
      const signature = rest.at(-1);
      const sessionToken = version === "2" ? rest[0] : undefined;
      if (
        token.length > tokenLengthLimit ||
        parts.length !== (version === "1" ? 3 : version === "2" ? 4 : 0) ||
        payload === undefined ||
        signature === undefined ||
        !equalInConstantTime(signature, sign(token.slice(0, -(signature.length + 1))))
      ) {
        return { valid: false, failure: "invalid" };
      }
      // Signed here: only another version of Portolan could have written something else.
      const [account, arn, accessKeyId, expiresAtSeconds] = v.parse(
        payloadSchema,
        JSON.parse(Buffer.from(payload, "base64url").toString("utf8")),
      );
      const expiresAt = expiresAtSeconds * 1000;
      if (clock.now() >= expiresAt) return { valid: false, failure: "expired" };
      return {
        valid: true,
        holder: {
          principal: { account, arn },
          accessKeyId,
          ...(sessionToken !== undefined && { sessionToken }),
        },
        expiresAt,
      };
    },
  };
}
