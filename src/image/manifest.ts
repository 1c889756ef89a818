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

/**
 * Real manifests have fewer than twenty levels. Go's parser, which nearly every client uses, ends at
 * 10,000; ours would take a third of a second for 4 MiB of brackets.
 */
export const manifestNestingLimit = 1000;

type Json = Record<string, unknown>;

/** What may stand in a header, and be stored by any database: printable ASCII without spaces. */
const headerMediaType = /^[\x21-\x7e]{1,255}$/;
/** Types inside a manifest are only kept and compared; tools write odd ones, also empty ones. */
const descriptorMediaType = /^[\x20-\x7e]{0,255}$/;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * @param contentType the request's media type without parameters, when one was sent
 * @throws ManifestSyntaxError
 */
export function parseManifest(bytes: Uint8Array, contentType: string | undefined): ParsedManifest {
  const json = parseJson(bytes);
  // First, because an old client wants to hear this, not that its fields have the wrong form.
  const mediaType =
    json.schemaVersion === 1 ? mediaTypes.dockerSchema1 : decideMediaType(json, contentType);
  if (isSchema1Type(mediaType)) {
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
  const addReference = (reference: ManifestReference) => {
    const key = `${reference.role} ${reference.digest}`;
    if (seen.has(key)) return;
    seen.add(key);
    references.push(reference);
    if (references.length > manifestReferencesLimit) {
      throw new ManifestSyntaxError(`more than ${manifestReferencesLimit} descriptors`);
    }
  };
  const add = (role: ReferenceRole, value: unknown, field: string) =>
    addReference(parseDescriptor(role, value, field));
  const addOptional = (role: ReferenceRole, value: unknown) => {
    if (isDescriptor(value)) {
      addReference({ ...parseDescriptor(role, value, role), required: false });
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
  } else {
    for (const { role, value } of likelyDescriptors(json)) addOptional(role, value);
  }
  const subject = json.subject === undefined ? undefined : parseSubject(json.subject);
  const config = isObject(json.config) ? json.config : undefined;
  return {
    mediaType,
    references,
    subject,
    artifactType:
      optionalMediaType(json, "artifactType") ||
      (index || config === undefined ? undefined : optionalMediaType(config, "mediaType")),
    annotations: parseAnnotations(json.annotations),
  };
}

function parseJson(bytes: Uint8Array): Json {
  if (isNestedDeeper(bytes, manifestNestingLimit)) {
    throw new ManifestSyntaxError(`nested more than ${manifestNestingLimit} levels deep`);
  }
  let value: unknown;
  try {
    // `ignoreBOM` keeps a byte order mark in the text, where JSON.parse refuses it: no client's
    // parser skips one, so a manifest that begins with it could be pushed but never pulled.
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(text);
  } catch {
    throw new ManifestSyntaxError("the manifest is not valid JSON in UTF-8");
  }
  if (!isObject(value)) throw new ManifestSyntaxError("the manifest is not a JSON object");
  return value;
}

/** Looks at brackets outside of strings only: whether the rest is JSON, the parser says. */
function isNestedDeeper(bytes: Uint8Array, limit: number): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte === 0x22 /* " */) inString = !inString;
    else if (inString && byte === 0x5c /* \ */) i += 1;
    else if (inString) continue;
    else if (byte === 0x5b /* [ */ || byte === 0x7b /* { */) depth += 1;
    else if (byte === 0x5d /* ] */ || byte === 0x7d /* } */) depth -= 1;
    if (depth > limit) return true;
  }
  return false;
}

/** Content-Type decides; `mediaType` must agree; without either, the shape tells. */
function decideMediaType(json: Json, contentType: string | undefined): string {
  const declared = optionalString(json, "mediaType");
  if (declared !== undefined && !headerMediaType.test(declared)) {
    throw new ManifestSyntaxError("mediaType is malformed");
  }
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

function optionalString(json: Json, field: string, shown = field): string | undefined {
  const value = json[field];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw new ManifestSyntaxError(`${shown} must be a string`);
  return value;
}

/** It is a column of the database and part of later answers: no control characters, bounded. */
function optionalMediaType(json: Json, field: string, shown = field): string | undefined {
  const value = optionalString(json, field, shown);
  if (value !== undefined && !descriptorMediaType.test(value)) {
    throw new ManifestSyntaxError(`${shown} is not a media type`);
  }
  return value;
}

/**
 * What a manifest of a type that nobody knows seems to refer to. It is not required to be here, but
 * what is here must not be collected as garbage under a manifest that was accepted.
 */
function* likelyDescriptors(json: Json): Iterable<{ role: ReferenceRole; value: unknown }> {
  yield { role: "config", value: json.config };
  for (const field of ["layers", "blobs", "manifests"] as const) {
    const values = json[field];
    if (!Array.isArray(values)) continue;
    const role = field === "manifests" ? "manifest" : "layer";
    for (const value of values) yield { role, value };
  }
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
  const mediaType = optionalMediaType(value, "mediaType", `${field}.mediaType`);
  if (mediaType === undefined) throw new ManifestSyntaxError(`${field}.mediaType is missing`);
  const urls = value.urls;
  const foreign =
    isNonDistributableType(mediaType) ||
    (Array.isArray(urls) && urls.length > 0 && role === "layer");
  return { role, digest, mediaType, size, required: !foreign };
}

/** Whether `parseDescriptor` would take it. */
function isDescriptor(value: unknown): boolean {
  try {
    parseDescriptor("layer", value, "");
    return true;
  } catch (error) {
    if (error instanceof ManifestSyntaxError) return false;
    throw error;
  }
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
