/**
 * The secrets of an installation as files: region keys, the installation key and root credentials.
 * All are text, mode 0600, and small.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from "node:crypto";
import { open, readFile, rename, stat, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import * as v from "valibot";
import type { Random } from "./clock.ts";
import { accessKeyId, secretText } from "./configuration-values.ts";

export interface RootCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface RegionKey {
  readonly privateKey: KeyObject;
  /** As in the chart: 32 raw bytes in base64url. */
  readonly publicKey: string;
}

/** A secret that cannot be used, in words for the operator; it never contains the secret. */
export class SecretFileError extends Error {
  override readonly name = "SecretFileError";
}

const secretBytesLimit = 64 * 1024;

export async function readSecretFile(path: string): Promise<string> {
  try {
    if ((await stat(path)).size > secretBytesLimit) throw new SecretFileError(`${path}: too large`);
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof SecretFileError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? "unreadable";
    throw new SecretFileError(`${path}: cannot be read (${code})`, { cause: error });
  }
}

/** True when others than the owner may read the file. */
export async function readableByOthers(path: string): Promise<boolean> {
  return ((await stat(path)).mode & 0o077) !== 0;
}

/** Durable and atomic: a reader sees the whole secret or the old one. */
export async function writeSecretFile(path: string, text: string): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}`);
  const file = await open(temporary, "wx", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary);
    throw error;
  }
  const directory = await open(dirname(path), "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** PKCS #8 in PEM, as `openssl genpkey -algorithm ed25519` makes it. */
export function generateRegionKey(): string {
  const { privateKey } = generateKeyPairSync("ed25519");
  return String(privateKey.export({ type: "pkcs8", format: "pem" }));
}

export async function readRegionKey(path: string): Promise<RegionKey> {
  return parseRegionKey(await readSecretFile(path), path);
}

/** Where `chart rotate-key` leaves the key before: some regions may not know the new one yet. */
export function previousRegionKeyPath(path: string): string {
  return `${path}.previous`;
}

/** @param source where it is from, for errors */
export function parseRegionKey(pem: string, source = "the region's key"): RegionKey {
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(pem);
  } catch {
    throw new SecretFileError(`${source}: expected a private key in PEM`);
  }
  if (privateKey.asymmetricKeyType !== "ed25519") {
    throw new SecretFileError(`${source}: expected an Ed25519 key`);
  }
  const { x } = createPublicKey(privateKey).export({ format: "jwk" });
  if (x === undefined) throw new SecretFileError(`${source}: expected an Ed25519 key`);
  return { privateKey, publicKey: x };
}

const installationKeyBytes = 32;

export function generateInstallationKey(random: Random): string {
  return `${Buffer.from(random.bytes(installationKeyBytes)).toString("base64")}\n`;
}

export async function readInstallationKey(path: string): Promise<Uint8Array> {
  const text = (await readSecretFile(path)).trim();
  const bytes = /^[A-Za-z0-9+/]{43}=$/.test(text) ? Buffer.from(text, "base64") : undefined;
  if (bytes?.length !== installationKeyBytes) {
    throw new SecretFileError(`${path}: expected ${installationKeyBytes} bytes in base64`);
  }
  return new Uint8Array(bytes);
}

/** In the form of AWS: 80 and 240 bits of chance. */
export function generateRootCredentials(random: Random): RootCredentials {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const name = Array.from(random.bytes(16), (byte) => letters[byte % letters.length]).join("");
  const secretAccessKey = Buffer.from(random.bytes(30)).toString("base64");
  return { accessKeyId: `AKIA${name}`, secretAccessKey };
}

/** An AWS shared credentials file: the AWS CLI and every SDK read it. */
export function formatRootCredentials(credentials: RootCredentials): string {
  return [
    "# Root credentials of Portolan.",
    "[default]",
    `aws_access_key_id = ${credentials.accessKeyId}`,
    `aws_secret_access_key = ${credentials.secretAccessKey}`,
    "",
  ].join("\n");
}

export async function readRootCredentials(path: string): Promise<RootCredentials> {
  const values = await readDefaultProfile(path);
  const id = v.safeParse(accessKeyId.schema, values.get("aws_access_key_id"));
  const secret = v.safeParse(secretText.schema, values.get("aws_secret_access_key"));
  if (id.success && secret.success) {
    return { accessKeyId: id.output, secretAccessKey: secret.output };
  }
  throw new SecretFileError(
    `${path}: expected aws_access_key_id and aws_secret_access_key under [default]`,
  );
}

/** What an AWS shared credentials file says under `[default]`. */
export async function readDefaultProfile(path: string): Promise<ReadonlyMap<string, string>> {
  const values = new Map<string, string>();
  let profile = "";
  for (const line of (await readSecretFile(path)).split(/\r?\n/)) {
    const section = /^\s*\[\s*(.*?)\s*\]/.exec(line);
    if (section !== null) profile = section[1] ?? "";
    const assignment = /^\s*(\w+)\s*=\s*(.*?)\s*$/.exec(line);
    if (assignment === null || profile !== "default") continue;
    values.set(assignment[1] ?? "", assignment[2] ?? "");
  }
  return values;
}
