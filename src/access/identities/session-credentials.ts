/**
 * Temporary credentials. Nothing is stored: the session token carries the secret key, the principal
 * with its session policies and tags, and the end, compressed and encrypted under a key derived
 * from the installation's, so that every region of the installation knows every session.
 *
 * What the session's identity may do is not in it: that is looked up when it is needed, so a
 * session ends in effect with its role.
 */
import { deflateRawSync, inflateRawSync } from "node:zlib";
import * as v from "valibot";
import type { Clock, Random } from "../../runtime/clock.ts";
import type { Principal } from "../access.ts";
import type { AccessKey } from "../credentials.ts";
import { deriveKey, SecretDecryptionError, secretCipher } from "../installation-key.ts";
import { accessKeyId, secretAccessKey } from "./unique-id.ts";

export interface IssuedSession {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** Percent of what a session may carry. */
  readonly packedPercent: number;
}

export interface SessionCredentials {
  /** @returns undefined when policies and tags are too long together */
  issue(principal: Principal, durationSeconds: number): IssuedSession | undefined;
  /** Expired ones are found too: `expiresAt` tells. Undefined for what was not issued here. */
  open(accessKeyId: string, sessionToken: string): AccessKey | undefined;
}

export interface SessionCredentialsOptions {
  readonly installationKey: Uint8Array;
  readonly clock: Clock;
  readonly random: Random;
}

/** A registry token repeats the session token, and has to fit into a header. */
const contentBytesLimit = 4096;
const sessionTokenLengthLimit = 6144;
const boundTo = "session token";

const texts = v.record(v.string(), v.string());
const contentSchema = v.object({
  id: v.string(),
  secret: v.string(),
  expiresAt: v.number(),
  principal: v.object({
    kind: v.picklist(["root", "user", "assumed-role", "federated"]),
    arn: v.string(),
    account: v.string(),
    identityArn: v.string(),
    userId: v.string(),
    userName: v.exactOptional(v.string()),
    session: v.object({
      issuedAt: v.number(),
      policies: v.array(v.string()),
      tags: texts,
      sourceIdentity: v.exactOptional(v.string()),
      federatedProvider: v.exactOptional(v.string()),
    }),
  }),
});

export function sessionCredentials(options: SessionCredentialsOptions): SessionCredentials {
  const { clock, random } = options;
  const cipher = secretCipher(deriveKey(options.installationKey, "session tokens"), random);
  return {
    issue(principal, durationSeconds) {
      const id = accessKeyId(random, "ASIA", principal.account);
      const secret = secretAccessKey(random);
      const now = clock.now();
      const expiresAt = Math.floor(now / 1000 + durationSeconds) * 1000;
      const { accessKeyId: _, session, ...rest } = principal;
      const content: v.InferOutput<typeof contentSchema> = {
        id,
        secret,
        expiresAt,
        principal: {
          ...rest,
          session: {
            ...session,
            issuedAt: now,
            policies: [...(session?.policies ?? [])],
            tags: { ...session?.tags },
          },
        },
      };
      const packed = deflateRawSync(JSON.stringify(content)).toString("base64");
      if (packed.length > contentBytesLimit) return undefined;
      const encrypted = cipher.encrypt(packed, boundTo);
      return {
        accessKeyId: id,
        secretAccessKey: secret,
        sessionToken: Buffer.from(encrypted).toString("base64url"),
        expiresAt,
        packedPercent: Math.ceil((packed.length / contentBytesLimit) * 100),
      };
    },
    open(id, sessionToken) {
      if (sessionToken.length > sessionTokenLengthLimit) return undefined;
      const packed = decrypt(cipher, sessionToken);
      if (packed === undefined) return undefined;
      const json = inflateRawSync(Buffer.from(packed, "base64")).toString("utf8");
      // Encrypted here: only another version of Portolan could have written something else.
      const content = v.parse(contentSchema, JSON.parse(json));
      if (content.id !== id) return undefined;
      return {
        id,
        secretAccessKey: content.secret,
        principal: { ...content.principal, accessKeyId: id },
        sessionToken,
        expiresAt: content.expiresAt,
      };
    },
  };
}

function decrypt(
  cipher: ReturnType<typeof secretCipher>,
  sessionToken: string,
): string | undefined {
  try {
    return cipher.decrypt(new Uint8Array(Buffer.from(sessionToken, "base64url")), boundTo);
  } catch (error) {
    if (error instanceof SecretDecryptionError) return undefined;
    throw error;
  }
}
