/** Certificates for tests, made by the openssl that every system has. */
import { join } from "node:path";

export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

export const hasOpenssl = Bun.which("openssl") !== null;

/** A self-signed certificate for localhost with this common name. */
export function makeCertificate(directory: string, commonName: string): CertificateFiles {
  const certificate = join(directory, `${commonName}.pem`);
  const key = join(directory, `${commonName}-key.pem`);
  const { exitCode, stderr } = Bun.spawnSync([
    ...["openssl", "req", "-x509", "-nodes", "-days", "2"],
    ...["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
    ...["-subj", `/CN=${commonName}`, "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
    ...["-out", certificate, "-keyout", key],
  ]);
  if (exitCode !== 0) throw new Error(stderr.toString());
  return { certificate, key };
}
