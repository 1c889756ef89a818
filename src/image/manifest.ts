/**
 * Reads a manifest's meaning from its bytes without ever changing them: what it refers to, its
 * subject, its artifact type and annotations.
 * https://github.com/opencontainers/image-spec/blob/main/manifest.md
 * https://github.com/opencontainers/image-spec/blob/main/image-index.md
 */
import { type Digest, isDigestSyntax, parseDigest } from "./digest.ts";
import {
  isIndexType,
  isManifestType,
  isNonDistributableType,
  isSchema1Type,
  mediaTypes,
} from "./media-type.ts";

/** The reason is for the client: it names the field. */
export class ManifestSyntaxError extends Error {
  override readonly name = "ManifestSyntaxError";
}

export type ReferenceRole = "config" | "layer" | "manifest";

/** One descriptor of a manifest, as the registry needs it. */
export interface ManifestReference {
  readonly role: ReferenceRole;
  /** May name an algorithm that this registry does not know: such content can never be here. */
  readonly digest: string;
  readonly mediaType: string;
  readonly size: number;
  /** False for foreign layers, which clients fetch from elsewhere. */
  readonly required: boolean;
}

export interface ParsedManifest {
  readonly mediaType: string;
  readonly references: readonly ManifestReference[];
  readonly subject: Digest | undefined;
  /** The manifest's artifactType, else its config's media type; undefined for an index without. */
  readonly artifactType: string | undefined;
  readonly annotations: Readonly<Record<string, string>> | undefined;
}

/** The specification asks registries to accept at least this much. */
export const manifestBytesLimit = 4 * 1024 * 1024;
/** More descriptors than any real image has; a bound for the work that one push can cause. */
export const manifestReferencesLimit = 16_384;

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * @param contentType the request's media type without parameters, when one was sent
 * @throws ManifestSyntaxError
 */
export function parseManifest(bytes: Uint8Array, contentType: string | undefined): ParsedManifest {
  const json = parseJson(bytes);
  const mediaType = decideMediaType(json, contentType);
  if (isSchema1Type(mediaType) || json.schemaVersion === 1) {
    throw new ManifestSyntaxError(
      "Docker image manifest schema 1 is not supported: push the image again with a client that writes schema 2 or OCI manifests",
    );
  }
  if (isManifestType(mediaType) && mediaType !== mediaTypes.ociArtifact) {
    if (json.schemaVersion !== 2) throw new ManifestSyntaxError("schemaVersion must be 2");
  }
  const index = isIndexType(mediaType);
  const known = isManifestType(mediaType);
  const references: ManifestReference[] = [];
  const seen = new Set<string>();
  const add = (role: ReferenceRole, value: unknown, field: string) => {
    const reference = parseDescriptor(role, value, field);
    const key = `${role} ${reference.digest}`;
    if (seen.has(key)) return;
    seen.add(key);
    references.push(reference);
    if (references.length > manifestReferencesLimit) {
      throw new ManifestSyntaxError(`more than ${manifestReferencesLimit} descriptors`);
    }
  };
  if (index) {
    if (json.layers !== undefined || json.config !== undefined) {
      throw new ManifestSyntaxError("an index must not have config or layers");
    }
    for (const [i, child] of list(json, "manifests").entries()) {
      add("manifest", child, `manifests[${i}]`);
    }
  } else if (mediaType === mediaTypes.ociArtifact) {
    for (const [i, blob] of list(json, "blobs").entries()) add("layer", blob, `blobs[${i}]`);
  } else if (known) {
    if (json.manifests !== undefined) {
      throw new ManifestSyntaxError("an image manifest must not have manifests");
    }
    add("config", json.config, "config");
    for (const [i, layer] of list(json, "layers").entries()) add("layer", layer, `layers[${i}]`);
  }
  const subject = json.subject === undefined ? undefined : parseSubject(json.subject);
  const config = isObject(json.config) ? json.config : undefined;
  return {
    mediaType,
    references,
    subject,
    artifactType:
      optionalString(json, "artifactType") ||
      (index || config === undefined ? undefined : optionalString(config, "mediaType")),
    annotations: parseAnnotations(json.annotations),
  };
}

function parseJson(bytes: Uint8Array): Json {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new ManifestSyntaxError("the manifest is not valid JSON in UTF-8");
  }
  if (!isObject(value)) throw new ManifestSyntaxError("the manifest is not a JSON object");
  return value;
}

/** Content-Type decides; `mediaType` must agree; without either, the shape tells. */
function decideMediaType(json: Json, contentType: string | undefined): string {
  const declared = optionalString(json, "mediaType");
  if (contentType !== undefined && contentType !== "" && contentType !== "application/json") {
    if (declared !== undefined && declared !== contentType) {
      throw new ManifestSyntaxError(
        `mediaType '${declared.slice(0, 128)}' differs from the Content-Type '${contentType.slice(0, 128)}'`,
      );
    }
    return contentType;
  }
  if (declared !== undefined) return declared;
  if (Array.isArray(json.manifests)) return mediaTypes.ociIndex;
  if (isObject(json.config)) return mediaTypes.ociManifest;
  throw new ManifestSyntaxError("the media type is missing: send it as Content-Type");
}

function list(json: Json, field: string): readonly unknown[] {
  const value = json[field];
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new ManifestSyntaxError(`${field} must be a list`);
  return value;
}

function optionalString(json: Json, field: string): string | undefined {
  const value = json[field];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw new ManifestSyntaxError(`${field} must be a string`);
  return value;
}

function parseDescriptor(role: ReferenceRole, value: unknown, field: string): ManifestReference {
  if (!isObject(value)) throw new ManifestSyntaxError(`${field} must be a descriptor`);
  const { digest, size } = value;
  if (typeof digest !== "string" || !isDescriptorDigest(digest)) {
    throw new ManifestSyntaxError(`${field}.digest is not a digest`);
  }
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) {
    throw new ManifestSyntaxError(`${field}.size must be a number of bytes`);
  }
  const mediaType = optionalString(value, "mediaType");
  if (mediaType === undefined) throw new ManifestSyntaxError(`${field}.mediaType is missing`);
  const urls = value.urls;
  const foreign =
    isNonDistributableType(mediaType) ||
    (Array.isArray(urls) && urls.length > 0 && role === "layer");
  return { role, digest, mediaType, size, required: !foreign };
}

/** A known algorithm must have its exact form; an unknown one must be well-formed. */
function isDescriptorDigest(text: string): boolean {
  if (text.length > 512) return false;
  if (text.startsWith("sha256:") || text.startsWith("sha512:")) {
    return parseDigest(text) !== undefined;
  }
  return isDigestSyntax(text);
}

function parseSubject(value: unknown): Digest | undefined {
  if (value === null) return undefined;
  const { digest } = parseDescriptor("manifest", value, "subject");
  const parsed = parseDigest(digest);
  if (parsed === undefined) throw new ManifestSyntaxError("subject.digest is not supported");
  return parsed;
}

function parseAnnotations(value: unknown): Record<string, string> | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) throw new ManifestSyntaxError("annotations must be an object");
  for (const text of Object.values(value)) {
    if (typeof text !== "string") throw new ManifestSyntaxError("annotations must be strings");
  }
  return value as Record<string, string>;
}
