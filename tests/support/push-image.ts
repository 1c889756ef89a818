/** Pushes images through the registry's own verbs, as a client would over HTTP. */
import { createCipheriv, createHash } from "node:crypto";
import { type Digest, type DigestAlgorithm, digestOf } from "../../src/image/digest.ts";
import { mediaTypes } from "../../src/image/media-type.ts";
import type { RegistryContext } from "../../src/registry/context.ts";
import { finishUpload } from "../../src/registry/finish-upload.ts";
import { pushManifest } from "../../src/registry/push-manifest.ts";
import { startUpload } from "../../src/registry/start-upload.ts";

export const testAccount = "111122223333";
const actor = `arn:aws:iam::${testAccount}:root`;

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** Bytes that no compression shortens, always the same for the same seed. */
export function noise(seed: string, length: number): Uint8Array<ArrayBuffer> {
  const key = createHash("sha256").update(seed).digest();
  const cipher = createCipheriv("aes-128-ctr", key.subarray(0, 16), key.subarray(16));
  return new Uint8Array(cipher.update(new Uint8Array(length)));
}

export async function pushBlob(
  context: RegistryContext,
  repository: string,
  bytes: Uint8Array,
  algorithm: DigestAlgorithm = "sha256",
): Promise<Digest> {
  const account = testAccount;
  const digest = digestOf(bytes, algorithm);
  const uploadId = await startUpload(context, { account, repository, actor, algorithm });
  await finishUpload(context, { account, repository, uploadId }, digest, { bytes: once(bytes) });
  return digest;
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

export interface TestImage {
  readonly repository: string;
  readonly tags?: readonly string[];
  readonly config?: Uint8Array;
  readonly layers: readonly Uint8Array[];
  /** Layers that are named and not pushed. */
  readonly foreign?: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly algorithm?: DigestAlgorithm;
}

/** The manifest's descriptor. */
export async function pushImage(context: RegistryContext, image: TestImage): Promise<Descriptor> {
  const { repository, algorithm = "sha256" } = image;
  const config = image.config ?? new TextEncoder().encode(JSON.stringify({ of: image.tags }));
  const blobs = [config, ...image.layers];
  for (const bytes of blobs) await pushBlob(context, repository, bytes, algorithm);
  const [configDescriptor, ...layers] = blobs.map((bytes, i) => ({
    mediaType: `application/vnd.oci.image.${i === 0 ? "config.v1+json" : "layer.v1.tar"}`,
    digest: digestOf(bytes, algorithm),
    size: bytes.byteLength,
  }));
  return pushDocument(context, repository, image.tags ?? [], algorithm, {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: configDescriptor,
    layers: [...layers, ...(image.foreign ?? [])],
    ...(image.subject === undefined ? {} : { subject: image.subject }),
  });
}

export function pushIndex(
  context: RegistryContext,
  repository: string,
  tags: readonly string[],
  manifests: readonly Descriptor[],
): Promise<Descriptor> {
  const mediaType = mediaTypes.ociIndex;
  return pushDocument(context, repository, tags, "sha256", {
    schemaVersion: 2,
    mediaType,
    manifests,
  });
}

async function pushDocument(
  context: RegistryContext,
  repository: string,
  tags: readonly string[],
  algorithm: DigestAlgorithm,
  document: { readonly mediaType: string; readonly [field: string]: unknown },
): Promise<Descriptor> {
  const bytes = new TextEncoder().encode(JSON.stringify(document));
  const { mediaType } = document;
  const digest = digestOf(bytes, algorithm);
  await pushManifest(context, {
    account: testAccount,
    repository,
    actor,
    bytes,
    contentType: mediaType,
    digest,
    tags,
  });
  return { mediaType, digest, size: bytes.byteLength };
}

/** Gives an image that is there one more tag. */
export async function tagImage(
  context: RegistryContext,
  repository: string,
  tag: string,
  bytes: Uint8Array,
  contentType: string,
): Promise<void> {
  await pushManifest(context, {
    account: testAccount,
    repository,
    actor,
    bytes,
    contentType,
    tags: [tag],
  });
}
