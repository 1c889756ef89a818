/** Content for tests: blobs, manifests, and the ways to push them. */
import { expect } from "bun:test";
import { type Digest, type DigestAlgorithm, digestOf } from "../../src/image/digest.ts";
import { mediaTypes } from "../../src/image/media-type.ts";
import type { TestRegistry } from "./registry.ts";

export const emptyDigest =
  "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" as Digest;
/** Well-formed, and nothing has it. */
export const absentDigest = `sha256:${"0".repeat(64)}` as Digest;

/** Different bytes for different seeds, the same for the same. */
export function bytesOf(seed: string | number, length = 64): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = Number(Bun.hash.crc32(String(seed))) || 1;
  for (let i = 0; i < length; i++) {
    // Marsaglia's xorshift32.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state & 0xff;
  }
  return bytes;
}

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly [field: string]: unknown;
}

export function descriptorOf(
  bytes: Uint8Array,
  mediaType = "application/vnd.oci.image.layer.v1.tar",
  algorithm: DigestAlgorithm = "sha256",
): Descriptor {
  return { mediaType, digest: digestOf(bytes, algorithm), size: bytes.byteLength };
}

export const json = (value: unknown): Uint8Array<ArrayBuffer> =>
  new Uint8Array(Buffer.from(JSON.stringify(value)));

export const imageOf = (config: Descriptor, layers: readonly object[], fields: object = {}) => ({
  schemaVersion: 2,
  mediaType: mediaTypes.ociManifest,
  config,
  layers,
  ...fields,
});

export const indexOf = (manifests: readonly object[], fields: object = {}) => ({
  schemaVersion: 2,
  mediaType: mediaTypes.ociIndex,
  manifests,
  ...fields,
});

/** Sends a whole blob in one request. */
export async function pushBlob(
  registry: TestRegistry,
  repository: string,
  bytes: Uint8Array,
  algorithm: DigestAlgorithm = "sha256",
): Promise<Descriptor> {
  const descriptor = descriptorOf(bytes, undefined, algorithm);
  const response = await registry.request(
    "POST",
    `/v2/${repository}/blobs/uploads/?digest=${descriptor.digest}`,
    { body: bytes, headers: { "Content-Length": String(bytes.byteLength) } },
  );
  expect(response.status).toBe(201);
  return descriptor;
}

/** Begins an upload and returns its location. */
export async function beginUpload(
  registry: TestRegistry,
  repository: string,
  query = "",
): Promise<string> {
  const response = await registry.request("POST", `/v2/${repository}/blobs/uploads/${query}`);
  expect(response.status).toBe(202);
  return locationOf(response);
}

export function locationOf(response: Response): string {
  const location = response.headers.get("location");
  if (location === null) throw new Error("the response has no Location");
  return location;
}

/** A location with one more parameter, as clients make it. */
export function withQuery(location: string, query: string): string {
  return `${location}${location.includes("?") ? "&" : "?"}${query}`;
}

export interface PushedManifest {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly response: Response;
}

/** Pushes bytes as a manifest, under a tag or under their digest, and expects 201. */
export async function pushManifest(
  registry: TestRegistry,
  repository: string,
  value: unknown,
  options: { reference?: string; mediaType?: string } = {},
): Promise<PushedManifest> {
  const bytes = value instanceof Uint8Array ? new Uint8Array(value) : json(value);
  const digest = digestOf(bytes);
  const mediaType = options.mediaType ?? mediaTypes.ociManifest;
  const response = await putManifest(registry, repository, options.reference ?? digest, bytes, {
    mediaType,
  });
  if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`);
  return { bytes, digest, mediaType, response };
}

export function putManifest(
  registry: TestRegistry,
  repository: string,
  reference: string,
  bytes: BodyInit | Uint8Array,
  options: { mediaType?: string | null; query?: string } = {},
): Promise<Response> {
  const { mediaType = mediaTypes.ociManifest, query = "" } = options;
  return registry.request("PUT", `/v2/${repository}/manifests/${reference}${query}`, {
    body: bytes,
    headers: mediaType === null ? {} : { "Content-Type": mediaType },
  });
}

/** An image manifest with a config and layers of its own, all of them pushed. */
export async function pushImage(
  registry: TestRegistry,
  repository: string,
  seed: string,
  options: {
    reference?: string;
    layers?: number;
    algorithm?: DigestAlgorithm;
    fields?: Record<string, unknown>;
  } = {},
): Promise<PushedManifest & { readonly blobs: readonly Descriptor[] }> {
  const { algorithm = "sha256", fields = {} } = options;
  const config = {
    ...(await pushBlob(registry, repository, bytesOf(`${seed} config`), algorithm)),
    mediaType: "application/vnd.oci.image.config.v1+json",
  };
  const layers: Descriptor[] = [];
  for (let i = 0; i < (options.layers ?? 1); i++) {
    layers.push(await pushBlob(registry, repository, bytesOf(`${seed} layer ${i}`), algorithm));
  }
  const pushed = await pushManifest(registry, repository, imageOf(config, layers, fields), {
    ...(options.reference !== undefined && { reference: options.reference }),
  });
  return { ...pushed, blobs: [config, ...layers] };
}

export interface WireErrors {
  readonly errors: readonly {
    readonly code: string;
    readonly message: string;
    readonly detail?: unknown;
  }[];
}

/** Expects an error in the specification's form, and returns its first entry. */
export async function expectError(
  response: Response,
  status: number,
  code: string,
): Promise<WireErrors["errors"][number]> {
  const text = await response.text();
  expect(`${response.status} ${text}`).toStartWith(`${status} {"errors":[{"code":"${code}",`);
  expect(response.headers.get("content-type")).toBe("application/json");
  const [first] = (JSON.parse(text) as WireErrors).errors;
  if (first === undefined) throw new Error("no error in the body");
  expect(first.message).not.toBe("");
  return first;
}

export async function bodyOf(response: Response): Promise<Uint8Array> {
  return new Uint8Array(await response.arrayBuffer());
}
