import { expect, test } from "bun:test";
import fc from "fast-check";
import { systemRandom } from "../runtime/clock.ts";
import { deriveKey, SecretDecryptionError, secretCipher } from "./installation-key.ts";

const key = systemRandom.bytes(32);
const cipher = secretCipher(key, systemRandom);

test("what is encrypted comes back, for what it is bound to", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string(), (secret, boundTo) => {
      const text = Buffer.from(secret, "utf8").toString("utf8");
      expect(cipher.decrypt(cipher.encrypt(secret, boundTo), boundTo)).toBe(text);
    }),
  );
});

test("another purpose, another key or a changed byte does not decrypt", () => {
  const encrypted = cipher.encrypt("the secret", "key A");
  expect(() => cipher.decrypt(encrypted, "key B")).toThrow(SecretDecryptionError);
  const other = secretCipher(systemRandom.bytes(32), systemRandom);
  expect(() => other.decrypt(encrypted, "key A")).toThrow(SecretDecryptionError);
  for (let i = 0; i < encrypted.byteLength; i++) {
    const changed = Uint8Array.from(encrypted);
    changed[i] = (changed[i] ?? 0) ^ 1;
    expect(() => cipher.decrypt(changed, "key A")).toThrow(SecretDecryptionError);
  }
  for (const length of [0, 1, 28]) {
    expect(() => cipher.decrypt(encrypted.subarray(0, length), "key A")).toThrow(
      SecretDecryptionError,
    );
  }
});

test("the ciphertext does not show the secret, and no two are equal", () => {
  const first = Buffer.from(cipher.encrypt("the secret", "key A"));
  expect(first.includes("the secret")).toBe(false);
  expect(first.equals(cipher.encrypt("the secret", "key A"))).toBe(false);
});

test("every purpose has its own key, and a short installation key is refused", () => {
  expect(deriveKey(key, "one")).not.toEqual(deriveKey(key, "two"));
  expect(deriveKey(key, "one")).toEqual(deriveKey(key, "one"));
  expect(() => deriveKey(new Uint8Array(31), "one")).toThrow("must have 32 bytes, it has 31");
});
