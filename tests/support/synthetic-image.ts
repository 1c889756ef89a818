/** Images made of a few bytes, in any shape that the specification allows, for plain HTTP. */
import { type Digest, type DigestAlgorithm, digestOf } from "../../src/image/digest.ts";
import { mediaTypes } from "../../src/image/media-type.ts";
import type { Bytes, RegistryConnection } from "./registry-connection.ts";

export interface SyntheticDescriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

export interface SyntheticManifest extends SyntheticDescriptor {
  readonly bytes: Bytes;
  /** The header Content-Type of its push. */
  readonly contentType: string;
  readonly tags: readonly string[];
}

export interface SyntheticImage {
  /** In kebab-case: also the name of its repository. */
  readonly name: string;
  readonly blobs: ReadonlyMap<Digest, Bytes>;
  /** In the order of the push; the last is the root. */
  readonly manifests: readonly SyntheticManifest[];
}

export interface ManifestOptions {
  readonly mediaType?: string;
  readonly algorithm?: DigestAlgorithm;
  readonly tags?: readonly string[];
}

export interface ImageBuilder {
  /** Bytes to upload. */
  blob(
    content: string | Bytes,
    mediaType?: string,
    algorithm?: DigestAlgorithm,
  ): SyntheticDescriptor;
  /** Written as JSON unless it is text or bytes already. */
  manifest(content: object | string, options?: ManifestOptions): SyntheticDescriptor;
  /** An image manifest with a configuration and the given layers. */
  image(layers: readonly object[], fields?: object, options?: ManifestOptions): SyntheticDescriptor;
  index(
    manifests: readonly object[],
    fields?: object,
    options?: ManifestOptions,
  ): SyntheticDescriptor;
}

export const layerType = "application/vnd.oci.image.layer.v1.tar+gzip";
export const configType = "application/vnd.oci.image.config.v1+json";

export function syntheticImage(
  name: string,
  recipe: (build: ImageBuilder) => void,
): SyntheticImage {
  const blobs = new Map<Digest, Bytes>();
  const manifests: SyntheticManifest[] = [];
  const encode = (content: string | Bytes) =>
    typeof content === "string" ? new TextEncoder().encode(content) : content;
  const build: ImageBuilder = {
    blob(content, mediaType = layerType, algorithm = "sha256") {
      const bytes = encode(content);
      const digest = digestOf(bytes, algorithm);
      blobs.set(digest, bytes);
      return { mediaType, digest, size: bytes.length };
    },
    manifest(
      content,
      { mediaType = mediaTypes.ociManifest, algorithm = "sha256", tags = [] } = {},
    ) {
      const bytes = encode(typeof content === "string" ? content : JSON.stringify(content));
      const digest = digestOf(bytes, algorithm);
      const descriptor = { mediaType, digest, size: bytes.length };
      manifests.push({ ...descriptor, bytes, contentType: mediaType, tags });
      return descriptor;
    },
    image(layers, fields = {}, options = {}) {
      const configuration = JSON.stringify({
        architecture: "amd64",
        os: "linux",
        rootfs: { type: "layers", diff_ids: [] },
        name,
        layers: layers.length,
      });
      const config = build.blob(configuration, configType, options.algorithm);
      const mediaType = mediaTypes.ociManifest;
      return build.manifest({ schemaVersion: 2, mediaType, config, layers, ...fields }, options);
    },
    index(children, fields = {}, options = {}) {
      const mediaType = options.mediaType ?? mediaTypes.ociIndex;
      return build.manifest(
        { schemaVersion: 2, mediaType, manifests: children, ...fields },
        { ...options, mediaType },
      );
    },
  };
  recipe(build);
  return { name, blobs, manifests };
}

/** Pushes everything; the answers to manifests are given back, for their headers. */
export async function pushSyntheticImage(
  registry: RegistryConnection,
  repository: string,
  image: SyntheticImage,
): Promise<Response[]> {
  const waiting = [...image.blobs];
  const pushNext = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      await registry.pushBlob(repository, ...next);
    }
  };
  await Promise.all(Array.from({ length: 16 }, pushNext));
  const answers: Response[] = [];
  for (const { digest, tags, bytes, contentType } of image.manifests) {
    for (const reference of tags.length > 0 ? tags : [digest]) {
      const answer = await registry.putManifest(repository, reference, bytes, contentType);
      if (answer.status !== 201) {
        const words = await answer.text();
        throw new Error(`${image.name}: ${reference} answered ${answer.status}: ${words}`);
      }
      answers.push(answer);
    }
  }
  return answers;
}
