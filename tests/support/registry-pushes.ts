/**
 * A region's registry for tests, and pushes through its own verbs as a client would make them over
 * HTTP.
 */
import type { BlobStore } from "../../src/blobs/blob-store.ts";
import { verified } from "../../src/blobs/verified.ts";
import { type Digest, digestOf } from "../../src/image/digest.ts";
import { mediaTypes } from "../../src/image/media-type.ts";
import type { MetadataStore } from "../../src/metadata/metadata-store.ts";
import {
  defaultRegistrySettings,
  type RegistryContext,
  type RegistrySettings,
} from "../../src/registry/context.ts";
import { finishUpload } from "../../src/registry/finish-upload.ts";
import { hybridClock } from "../../src/registry/hybrid-clock.ts";
import { keyedMutex } from "../../src/registry/keyed-mutex.ts";
import { pushManifest } from "../../src/registry/push-manifest.ts";
import { startUpload } from "../../src/registry/start-upload.ts";
import { type Clock, systemRandom } from "../../src/runtime/clock.ts";

export const account = "111122223333";
export const actor = `arn:aws:iam::${account}:root`;

export function registryContext(options: {
  metadata: MetadataStore;
  blobs: BlobStore;
  clock: Clock;
  settings?: Partial<RegistrySettings>;
}): RegistryContext {
  const { metadata, clock } = options;
  return {
    region: "us-east-1",
    metadata,
    blobs: verified(options.blobs),
    clock,
    random: systemRandom,
    hybridClock: hybridClock(clock),
    settings: { ...defaultRegistrySettings, ...options.settings },
    observers: [],
    uploadMutex: keyedMutex(),
  };
}

export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

export async function* chunksOf(...chunks: Uint8Array[]): AsyncIterable<Uint8Array> {
  yield* chunks;
}

export async function pushBlob(
  context: RegistryContext,
  repository: string,
  bytes: Uint8Array,
): Promise<Digest> {
  const digest = digestOf(bytes);
  const uploadId = await startUpload(context, { account, repository, actor });
  const upload = { account, repository, uploadId };
  await finishUpload(context, upload, digest, { bytes: chunksOf(bytes) });
  return digest;
}

/** A manifest with these blobs as layers; the first is its config too. */
export function manifestOf(...blobs: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const [config = bytesOf("{}")] = blobs;
  const descriptor = (bytes: Uint8Array, mediaType: string) => ({
    mediaType,
    digest: digestOf(bytes),
    size: bytes.byteLength,
  });
  return bytesOf(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: descriptor(config, "application/vnd.oci.image.config.v1+json"),
      layers: blobs.map((bytes) => descriptor(bytes, "application/vnd.oci.image.layer.v1.tar")),
    }),
  );
}

export async function pushManifestBytes(
  context: RegistryContext,
  repository: string,
  bytes: Uint8Array,
  ...tags: string[]
): Promise<Digest> {
  const input = { account, repository, actor, bytes, contentType: mediaTypes.ociManifest, tags };
  return (await pushManifest(context, input)).digest;
}

/** Blobs first, then the manifest. */
export async function pushImage(
  context: RegistryContext,
  repository: string,
  tag: string,
  ...blobs: Uint8Array[]
): Promise<Digest> {
  for (const bytes of blobs) await pushBlob(context, repository, bytes);
  return pushManifestBytes(context, repository, manifestOf(...blobs), tag);
}
