/**
 * A small client of the OCI Distribution protocol over fetch: what a push and a pull need, and
 * nothing is believed without its digest.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 */
import { type Digest, digestOf, parseDigest } from "../../src/image/digest.ts";
import { mediaTypes, mediaTypeWithoutParameters } from "../../src/image/media-type.ts";
import { type Content, content, type Descriptor } from "./content.ts";

export interface RegistryClientOptions {
  /** Such as `http://127.0.0.1:5001`. */
  readonly endpoint: string;
  readonly username: string;
  readonly password: string;
  /** Bytes per PATCH of an upload. */
  readonly chunkBytes?: number;
  /** How long one answer may take. */
  readonly timeoutMilliseconds?: number;
}

/** The registry's answer was not the one that the protocol promises for success. */
export class RegistryAnswerError extends Error {
  override readonly name = "RegistryAnswerError";
  /** 0 when there was no answer. */
  readonly status: number;
  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/** Content that is not what its digest says. */
export class DigestMismatchError extends Error {
  override readonly name = "DigestMismatchError";
}

/** Called with the bytes that moved since the last call. */
export type ProgressListener = (bytes: number) => void;

export interface RegistryClient {
  readonly endpoint: string;
  /** Undefined when the repository does not hold the blob. */
  headBlob(repository: string, digest: Digest): Promise<{ size: number } | undefined>;
  /** Uploads in chunks; asks first, and sends nothing when the blob is there. */
  pushBlob(
    repository: string,
    blob: Content,
    progress?: ProgressListener,
  ): Promise<"uploaded" | "present">;
  /** The blob as it comes; the caller verifies it, since only the end tells. */
  openBlob(repository: string, digest: Digest): Promise<ReadableStream<Uint8Array<ArrayBuffer>>>;
  /** @returns the manifest's digest; undefined when there is none under the reference */
  headManifest(repository: string, reference: string): Promise<Descriptor | undefined>;
  pushManifest(repository: string, reference: string, manifest: Content): Promise<void>;
  /** Verified against the reference when that is a digest, else against the answer's header. */
  pullManifest(repository: string, reference: string): Promise<Content>;
}

const manifestTypes = [
  mediaTypes.ociIndex,
  mediaTypes.ociManifest,
  mediaTypes.dockerList,
  mediaTypes.dockerManifest,
].join(", ");

export function registryClient(options: RegistryClientOptions): RegistryClient {
  const endpoint = options.endpoint.replace(/\/$/, "");
  const chunkBytes = options.chunkBytes ?? 8 * 1024 * 1024;
  const timeoutMilliseconds = options.timeoutMilliseconds ?? 30_000;
  const authorization = `Basic ${Buffer.from(`${options.username}:${options.password}`).toString("base64")}`;

  /** @param url a path of the registry, or a Location that it gave */
  async function send(
    method: string,
    url: string,
    accepted: readonly number[],
    body?: Uint8Array<ArrayBuffer>,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const target = new URL(url, `${endpoint}/`);
    if (target.origin !== new URL(endpoint).origin) {
      throw new RegistryAnswerError(0, `${method}: the Location leads to another host`);
    }
    const response = await fetch(target, {
      method,
      headers: { authorization, ...headers },
      signal: AbortSignal.timeout(timeoutMilliseconds),
      ...(body === undefined ? {} : { body }),
    }).catch((error: Error) => {
      const message = `${method} ${target.origin}${target.pathname}: ${error.message}`;
      throw new RegistryAnswerError(0, message, { cause: error });
    });
    if (accepted.includes(response.status)) return response;
    const text = (await response.text()).slice(0, 500);
    throw new RegistryAnswerError(
      response.status,
      `${method} ${target.pathname} answered ${response.status} ${text}`.trim(),
    );
  }

  return {
    endpoint,

    async headBlob(repository, digest) {
      const response = await send("HEAD", `/v2/${repository}/blobs/${digest}`, [200, 404]);
      if (response.status === 404) return undefined;
      return { size: Number(response.headers.get("content-length")) };
    },

    async pushBlob(repository, blob, progress) {
      if ((await this.headBlob(repository, blob.digest)) !== undefined) return "present";
      const opened = await send("POST", `/v2/${repository}/blobs/uploads/`, [202]);
      let location = locationOf(opened);
      for (let start = 0; start < blob.size; start += chunkBytes) {
        const chunk = blob.bytes.subarray(start, start + chunkBytes);
        const answer = await send("PATCH", location, [202], chunk, {
          "content-type": "application/octet-stream",
          "content-range": `${start}-${start + chunk.length - 1}`,
        });
        location = locationOf(answer);
        progress?.(chunk.length);
      }
      const commit = new URL(location, `${endpoint}/`);
      commit.searchParams.set("digest", blob.digest);
      const committed = await send("PUT", commit.href, [201]);
      expectDigest(committed, blob.digest);
      return "uploaded";
    },

    async openBlob(repository, digest) {
      const response = await send("GET", `/v2/${repository}/blobs/${digest}`, [200]);
      if (response.body === null) throw new RegistryAnswerError(200, `${digest} has no body`);
      return response.body;
    },

    async headManifest(repository, reference) {
      const path = `/v2/${repository}/manifests/${reference}`;
      const response = await send("HEAD", path, [200, 404], undefined, { accept: manifestTypes });
      if (response.status === 404) return undefined;
      return {
        digest: digestHeader(response),
        size: Number(response.headers.get("content-length")),
        mediaType: mediaTypeWithoutParameters(response.headers.get("content-type") ?? ""),
      };
    },

    async pushManifest(repository, reference, manifest) {
      const path = `/v2/${repository}/manifests/${reference}`;
      const response = await send("PUT", path, [201], manifest.bytes, {
        "content-type": manifest.mediaType,
      });
      expectDigest(response, manifest.digest);
    },

    async pullManifest(repository, reference) {
      const path = `/v2/${repository}/manifests/${reference}`;
      const response = await send("GET", path, [200], undefined, { accept: manifestTypes });
      const expected = parseDigest(reference) ?? digestHeader(response);
      const manifest = content(
        mediaTypeWithoutParameters(response.headers.get("content-type") ?? ""),
        await response.bytes(),
      );
      const algorithm = expected.startsWith("sha512:") ? "sha512" : "sha256";
      const actual = digestOf(manifest.bytes, algorithm);
      if (actual !== expected) {
        throw new DigestMismatchError(`${path} should be ${expected} and is ${actual}`);
      }
      return { ...manifest, digest: actual };
    },
  };
}

function locationOf(response: Response): string {
  const location = response.headers.get("location");
  if (location === null) {
    throw new RegistryAnswerError(response.status, "the answer to an upload has no Location");
  }
  return location;
}

function digestHeader(response: Response): Digest {
  const text = response.headers.get("docker-content-digest") ?? "";
  const digest = parseDigest(text);
  if (digest === undefined) {
    throw new RegistryAnswerError(response.status, `'${text}' is no Docker-Content-Digest`);
  }
  return digest;
}

function expectDigest(response: Response, expected: Digest): void {
  const actual = digestHeader(response);
  if (actual !== expected) {
    throw new DigestMismatchError(`the registry stored ${actual} in place of ${expected}`);
  }
}
