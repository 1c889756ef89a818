/**
 * Content digests: `algorithm:encoded`.
 * https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests
 */

/** A digest whose syntax and length were checked: `sha256:<64 hex>` or `sha512:<128 hex>`. */
export type Digest = `sha256:${string}` | `sha512:${string}`;

export const digestAlgorithms = ["sha256", "sha512"] as const;
export type DigestAlgorithm = (typeof digestAlgorithms)[number];

const supported = /^(?:sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128})$/;
const wellFormed = /^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/;

/** The digest, when it is one that this registry can verify; otherwise undefined. */
export function parseDigest(text: string): Digest | undefined {
  return supported.test(text) ? (text as Digest) : undefined;
}

/** True for any digest that the grammar allows, whether or not its algorithm is supported here. */
export function isDigestSyntax(text: string): boolean {
  return wellFormed.test(text);
}

export function digestAlgorithm(digest: Digest): DigestAlgorithm {
  return digest.startsWith("sha256:") ? "sha256" : "sha512";
}

/** The part behind the colon. */
export function digestEncoded(digest: Digest): string {
  return digest.slice(7);
}

export interface DigestHasher {
  update(bytes: Uint8Array): void;
  /** Ends the calculation; the hasher must not be used afterwards. */
  digest(): Digest;
}

export function createHasher(algorithm: DigestAlgorithm): DigestHasher {
  const hasher = new Bun.CryptoHasher(algorithm);
  return {
    update: (bytes) => void hasher.update(bytes),
    digest: () => `${algorithm}:${hasher.digest("hex")}`,
  };
}

export function digestOf(bytes: Uint8Array, algorithm: DigestAlgorithm = "sha256"): Digest {
  return `${algorithm}:${Bun.CryptoHasher.hash(algorithm, bytes, "hex")}`;
}
