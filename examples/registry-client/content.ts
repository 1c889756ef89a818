/** Content that knows its own digest: what registries store and images are made of. */
import { type Digest, digestOf } from "../../src/image/digest.ts";

/** https://github.com/opencontainers/image-spec/blob/main/descriptor.md */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
  readonly platform?: Platform;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

export interface Content extends Descriptor {
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export function content(mediaType: string, bytes: Uint8Array<ArrayBuffer>): Content {
  return { mediaType, digest: digestOf(bytes), size: bytes.length, bytes };
}

export function jsonContent(mediaType: string, value: unknown): Content {
  return content(mediaType, new TextEncoder().encode(JSON.stringify(value, null, 2)));
}

export function descriptorOf({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}

/** Everything that one tag stands for, in the order in which a registry accepts it. */
export interface ImageContent {
  /** Configurations and layers, each once. */
  readonly blobs: readonly Content[];
  /** The manifests that the root names. */
  readonly children: readonly Content[];
  /** The manifest or index that the tag points to. */
  readonly root: Content;
}

export function totalBytes(image: ImageContent): number {
  const all = [...image.blobs, ...image.children, image.root];
  return all.reduce((sum, { size }) => sum + size, 0);
}
