/**
 * The installation's key and what is derived from it. One key of 32 bytes protects the secrets of
 * an installation; every purpose gets a key of its own (HKDF), so that none can stand in for
 * another.
 */
import { createCipheriv, createDecipheriv, hkdfSync } from "node:crypto";
import type { Random } from "../runtime/clock.ts";

export const installationKeyBytes = 32;

/** @throws when the key does not have 32 bytes */
export function deriveKey(installationKey: Uint8Array, purpose: string): Uint8Array {
  if (installationKey.byteLength !== installationKeyBytes) {
    throw new Error(
      `the installation key must have ${installationKeyBytes} bytes, it has ${installationKey.byteLength}`,
    );
  }
  return new Uint8Array(hkdfSync("sha256", installationKey, "", `portolan ${purpose}`, 32));
}

/** Encryption of small secrets at rest. */
export interface SecretCipher {
  /** @param boundTo what the secret belongs to; the same text is needed to decrypt it */
  encrypt(secret: string, boundTo: string): Uint8Array;
  /** @throws SecretDecryptionError */
  decrypt(encrypted: Uint8Array, boundTo: string): string;
}

/** The wrong installation key, or bytes that were damaged or moved. */
export class SecretDecryptionError extends Error {
  override readonly name = "SecretDecryptionError";
}

const version = 1;
const nonceBytes = 12;
const tagBytes = 16;

/** AES-256-GCM. Encrypted form: version (1 byte), nonce (12), authentication tag (16), ciphertext. */
export function secretCipher(installationKey: Uint8Array, random: Random): SecretCipher {
  const key = deriveKey(installationKey, "secrets at rest");
  return {
    encrypt(secret, boundTo) {
      const nonce = random.bytes(nonceBytes);
      const cipher = createCipheriv("aes-256-gcm", key, nonce);
      cipher.setAAD(Buffer.from(boundTo, "utf8"));
      const text = Buffer.concat([cipher.update(secret, "utf8"), cipher.final()]);
      return new Uint8Array(
        Buffer.concat([[version], nonce, cipher.getAuthTag(), text].map(bytes)),
      );
    },
    decrypt(encrypted, boundTo) {
      if (encrypted[0] !== version || encrypted.byteLength < 1 + nonceBytes + tagBytes) {
        throw new SecretDecryptionError("not an encrypted secret that this version knows");
      }
      const textStart = 1 + nonceBytes + tagBytes;
      const nonce = encrypted.subarray(1, 1 + nonceBytes);
      const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: tagBytes });
      decipher.setAAD(Buffer.from(boundTo, "utf8"));
      decipher.setAuthTag(encrypted.subarray(1 + nonceBytes, textStart));
      try {
        const start = decipher.update(encrypted.subarray(textStart));
        return Buffer.concat([start, decipher.final()]).toString("utf8");
      } catch (cause) {
        throw new SecretDecryptionError(
          "a stored secret cannot be decrypted: it was encrypted under another installation key, or is damaged",
          { cause },
        );
      }
    },
  };
}

function bytes(part: Uint8Array | readonly number[]): Uint8Array {
  return Uint8Array.from(part);
}
