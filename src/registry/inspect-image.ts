/** What an image consists of, as a person wants to see it: platforms, layers, configuration. */
import * as v from "valibot";
import { parseDigest } from "../image/digest.ts";
import { isIndexType } from "../image/media-type.ts";
import type { RegistryContext, RepositoryAddress } from "./context.ts";
import { type DescribedImage, describeImagesByDigest } from "./describe-images.ts";
import { isRegistryError, RegistryError } from "./errors.ts";
import { readBlob } from "./find-blob.ts";
import { findManifest, type ManifestReferenceInput } from "./find-manifest.ts";

export interface InspectedImage extends DescribedImage {
  readonly annotations: Readonly<Record<string, string>>;
  /** Manifests of an index. */
  readonly children: readonly InspectedChild[];
  readonly layers: readonly { digest: string; mediaType: string; bytes: number }[];
  /** Undefined when it is not here, not JSON, too large to show, or not of an image. */
  readonly configuration: InspectedConfiguration | undefined;
}

export interface InspectedChild {
  readonly digest: string;
  readonly mediaType: string;
  /** `linux/arm64/v8`; empty when the index does not say. */
  readonly platform: string;
  /** Its configuration and layers; 0 when it is not here. */
  readonly contentBytes: number;
  readonly annotations: Readonly<Record<string, string>>;
}

/** A configuration is read whole; ordinary ones have a few kilobytes. */
const configurationBytesLimit = 1024 * 1024;
const childrenLimit = 200;
const layersLimit = 500;
const historyLimit = 1000;

/** Whatever is there in another form than expected is left out: clients write these documents. */
const text = v.fallback(v.optional(v.string()), undefined);
const texts = v.fallback(v.optional(v.nullable(v.array(v.string()))), undefined);
const annotations = v.fallback(v.optional(v.record(v.string(), v.string())), undefined);
const bytes = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const descriptor = v.object({
  digest: v.string(),
  mediaType: v.optional(v.string(), ""),
  size: bytes,
  annotations,
});
const platform = v.object({ os: text, architecture: text, variant: text });
const manifestSchema = v.object({
  annotations,
  config: v.fallback(v.optional(descriptor), undefined),
  layers: v.fallback(v.optional(v.array(descriptor)), undefined),
  manifests: v.fallback(
    v.optional(
      v.array(
        v.object({ ...descriptor.entries, platform: v.fallback(v.optional(platform), undefined) }),
      ),
    ),
    undefined,
  ),
});

/** https://github.com/opencontainers/image-spec/blob/main/config.md */
const configurationSchema = v.object({
  created: text,
  author: text,
  architecture: text,
  os: text,
  config: v.fallback(
    v.nullish(
      v.object({
        User: text,
        WorkingDir: text,
        Entrypoint: texts,
        Cmd: texts,
        Env: texts,
        ExposedPorts: v.fallback(
          v.optional(v.nullable(v.record(v.string(), v.unknown()))),
          undefined,
        ),
        Labels: v.fallback(v.optional(v.nullable(v.record(v.string(), v.string()))), undefined),
      }),
    ),
    undefined,
  ),
  history: v.fallback(
    v.optional(
      v.array(
        v.object({
          created: text,
          created_by: text,
          comment: text,
          empty_layer: v.fallback(v.optional(v.boolean()), undefined),
        }),
      ),
    ),
    undefined,
  ),
});

export type InspectedConfiguration = v.InferOutput<typeof configurationSchema> & {
  readonly digest: string;
};

/** @throws repository_unknown, manifest_unknown */
export async function inspectImage(
  context: RegistryContext,
  address: RepositoryAddress,
  reference: ManifestReferenceInput,
): Promise<InspectedImage> {
  const manifest = await findManifest(context, address, reference);
  const { digest } = manifest;
  const described = (await describeImagesByDigest(context, address, [digest])).get(digest);
  if (described === undefined) {
    // Deleted since the line before.
    throw new RegistryError("manifest_unknown", { ...address, reference: digest });
  }
  const read = v.safeParse(manifestSchema, JSON.parse(new TextDecoder().decode(manifest.bytes)));
  const content = read.success ? read.output : undefined;
  const isIndex = isIndexType(manifest.mediaType);
  const config = isIndex ? undefined : content?.config;
  return {
    ...described,
    annotations: content?.annotations ?? {},
    children: isIndex ? await childrenOf(context, address, content?.manifests ?? []) : [],
    layers: (isIndex ? [] : (content?.layers ?? []))
      .slice(0, layersLimit)
      .map(({ digest, mediaType, size }) => ({ digest, mediaType, bytes: size })),
    configuration: config && (await readConfiguration(context, address, config)),
  };
}

async function childrenOf(
  context: RegistryContext,
  address: RepositoryAddress,
  manifests: NonNullable<v.InferOutput<typeof manifestSchema>["manifests"]>,
): Promise<InspectedChild[]> {
  const listed = manifests.slice(0, childrenLimit);
  const digests = listed.map(({ digest }) => digest);
  const here = await describeImagesByDigest(context, address, digests);
  return listed.map(({ digest, mediaType, platform, annotations }) => ({
    digest,
    mediaType,
    platform: [platform?.os, platform?.architecture, platform?.variant].filter(Boolean).join("/"),
    contentBytes: here.get(digest)?.contentBytes ?? 0,
    annotations: annotations ?? {},
  }));
}

async function readConfiguration(
  context: RegistryContext,
  address: RepositoryAddress,
  { digest: text, size }: { digest: string; size: number },
): Promise<InspectedConfiguration | undefined> {
  const digest = parseDigest(text);
  if (digest === undefined || size > configurationBytesLimit) return undefined;
  try {
    const blob = await readBlob(context, { ...address, digest });
    if (blob.size > configurationBytesLimit) return undefined;
    const read = v.safeParse(configurationSchema, JSON.parse(await blob.text()));
    if (!read.success) return undefined;
    const history = read.output.history?.slice(0, historyLimit);
    return { ...read.output, history, digest: text };
  } catch (error) {
    // Artifacts have configurations of any kind, and foreign ones are not here.
    if (error instanceof SyntaxError || isRegistryError(error, "blob_unknown")) return undefined;
    throw error;
  }
}
