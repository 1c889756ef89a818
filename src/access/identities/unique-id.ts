/**
 * Unique ids of IAM and ids of access keys: a prefix of four letters that tells the kind, and
 * sixteen letters and digits in the alphabet of RFC 4648's base32. The id of an access key carries
 * its account, as AWS's do, so that a key is found without a search through the accounts.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
 */
import type { Random } from "../../runtime/clock.ts";

export type UniqueIdPrefix = "AIDA" | "AROA" | "AGPA" | "ANPA" | "AIPA";
/** Of long-lived keys, and of keys of a session. */
export type AccessKeyIdPrefix = "AKIA" | "ASIA";

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/** Eight letters have 40 bits, and twelve digits are a little less. */
const accountLetters = 8;

export function uniqueId(random: Random, prefix: UniqueIdPrefix): string {
  return prefix + letters(random, 16);
}

export function accessKeyId(random: Random, prefix: AccessKeyIdPrefix, account: string): string {
  let rest = Number(account);
  let encoded = "";
  for (let position = 0; position < accountLetters; position += 1) {
    encoded = alphabet.charAt(rest % alphabet.length) + encoded;
    rest = Math.floor(rest / alphabet.length);
  }
  return prefix + encoded + letters(random, 16 - accountLetters);
}

/** Twelve digits; undefined when the id has not the form that `accessKeyId` gives. */
export function accountOfAccessKeyId(id: string): string | undefined {
  const encoded = /^A[KS]IA([A-Z2-7]{8})[A-Z2-7]{8}$/.exec(id)?.[1];
  if (encoded === undefined) return undefined;
  let account = 0;
  for (const letter of encoded) account = account * alphabet.length + alphabet.indexOf(letter);
  const digits = String(account).padStart(12, "0");
  return digits.length === 12 ? digits : undefined;
}

/** 40 letters and digits of base64, as AWS's have: 240 bits. */
export function secretAccessKey(random: Random): string {
  return Buffer.from(random.bytes(30)).toString("base64");
}

function letters(random: Random, count: number): string {
  return Array.from(random.bytes(count), (byte) => alphabet.charAt(byte % alphabet.length)).join(
    "",
  );
}
