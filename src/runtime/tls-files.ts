/** Certificate and key of the server, read and checked before a socket depends on them. */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";

export interface TlsFiles {
  /** PEM, with the chain behind the leaf. */
  readonly certificate: string;
  readonly key: string;
}

/** In words for the operator. */
export class TlsFileError extends Error {
  override readonly name = "TlsFileError";
}

/** @throws {TlsFileError} when they cannot be read, or do not belong together */
export async function readTlsFiles(certificatePath: string, keyPath: string): Promise<TlsFiles> {
  const certificate = await readText(certificatePath);
  const key = await readText(keyPath);
  let leaf: X509Certificate;
  try {
    leaf = new X509Certificate(certificate);
  } catch {
    throw new TlsFileError(`${certificatePath}: expected a certificate in PEM`);
  }
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(key);
  } catch {
    throw new TlsFileError(`${keyPath}: expected a private key in PEM, without a passphrase`);
  }
  if (!leaf.checkPrivateKey(privateKey)) {
    throw new TlsFileError(`${keyPath}: not the key of the certificate ${certificatePath}`);
  }
  return { certificate, key };
}

/** Milliseconds since the Unix epoch. */
export function certificateEnd(certificate: string): number {
  return Date.parse(new X509Certificate(certificate).validTo);
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unreadable";
    throw new TlsFileError(`${path}: cannot be read (${code})`, { cause: error });
  }
}
