/**
 * The registry's errors in the words of the OCI Distribution specification.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes
 */
import type { ErrorCode, ErrorDetails, RegistryError } from "../registry/errors.ts";
import { BodyCutOffError, BodyStalledError } from "./body.ts";
import { jsonResponse } from "./json-response.ts";
import { uploadLocation } from "./locations.ts";

interface WireError<C extends ErrorCode> {
  readonly status: number;
  readonly code: string;
  /** For docs/reference/oci.md. */
  readonly when: string;
  readonly message: (detail: ErrorDetails[C]) => string;
  /** One error each for several things that are wrong at once. */
  readonly details?: (detail: ErrorDetails[C]) => readonly unknown[];
  readonly headers?: (detail: ErrorDetails[C]) => Record<string, string>;
}

/** A manifest can name thousands of blobs, and one that is missing is reason enough. */
const detailsLimit = 100;

const bytes = (count: number) => `${count} bytes`;

const wireErrors: { readonly [C in ErrorCode]: WireError<C> } = {
  name_invalid: {
    status: 400,
    code: "NAME_INVALID",
    when: "the repository's name is not one",
    message: () => "invalid repository name",
  },
  tag_invalid: {
    status: 400,
    code: "TAG_INVALID",
    when: "the tag is not one",
    message: () => "invalid tag: at most 128 letters, digits, '_', '.', '-'",
  },
  digest_invalid: {
    status: 400,
    code: "DIGEST_INVALID",
    when: "a digest is missing, malformed, or of an algorithm other than sha256 and sha512",
    message: ({ reason }) => reason,
  },
  digest_mismatch: {
    status: 400,
    code: "DIGEST_INVALID",
    when: "the content does not have the digest that was promised; an upload ends with it",
    message: ({ expected, actual }) =>
      `the content does not have the digest ${expected}: it has ${actual}`,
  },
  repository_unknown: {
    status: 404,
    code: "NAME_UNKNOWN",
    when: "the repository does not exist, and pushes do not create it",
    message: ({ repository, account }) =>
      `The repository with name '${repository}' does not exist in the registry with id '${account}'`,
  },
  repository_exists: {
    status: 409,
    code: "DENIED",
    when: "never here: repositories are created by pushes",
    message: ({ repository }) => `The repository with name '${repository}' already exists`,
  },
  manifest_unknown: {
    status: 404,
    code: "MANIFEST_UNKNOWN",
    when: "no manifest has this tag or digest in the repository",
    message: () => "Requested image not found",
  },
  manifest_invalid: {
    status: 400,
    code: "MANIFEST_INVALID",
    when: "the manifest is not JSON, has the wrong form, or another type than its Content-Type says",
    message: ({ reason }) => `manifest invalid: ${reason}`,
  },
  manifest_too_large: {
    status: 413,
    code: "MANIFEST_INVALID",
    when: "the manifest is larger than `registry.manifestLimit`",
    message: ({ limitBytes }) => `the manifest is larger than ${bytes(limitBytes)}`,
  },
  manifest_references_unknown: {
    status: 400,
    code: "MANIFEST_BLOB_UNKNOWN",
    when: "the manifest needs content that the repository does not have; one error for each digest, 100 at most",
    message: ({ digests }) =>
      `the manifest refers to content that the repository does not have (${digests.length} missing)`,
    details: ({ digests }) => digests.slice(0, detailsLimit).map((digest) => ({ digest })),
  },
  manifest_in_use: {
    status: 405,
    code: "UNSUPPORTED",
    when: "never here: over this protocol the children of an index may be deleted",
    message: ({ index }) => `the manifest belongs to ${index}`,
  },
  blob_unknown: {
    status: 404,
    code: "BLOB_UNKNOWN",
    when: "the repository does not have the blob",
    message: () => "blob unknown to the repository",
  },
  blob_in_use: {
    status: 405,
    code: "UNSUPPORTED",
    when: "a manifest of the repository refers to the blob",
    message: ({ manifest }) =>
      `the blob belongs to ${manifest}: delete the manifests that refer to it first`,
  },
  upload_unknown: {
    status: 404,
    code: "BLOB_UPLOAD_UNKNOWN",
    when: "the upload was finished, cancelled, expired, or never begun",
    message: () => "upload unknown: it was finished, cancelled, or it expired",
  },
  upload_range_invalid: {
    status: 416,
    code: "BLOB_UPLOAD_INVALID",
    when: "the chunk does not begin where the upload ended; Range and Location say where to go on",
    message: ({ heldBytes }) => `the next chunk must begin at offset ${heldBytes}`,
    headers: ({ repository, uploadId, heldBytes }) => ({
      Location: uploadLocation(repository, uploadId),
      Range: uploadRange(heldBytes),
      "Docker-Upload-UUID": uploadId,
    }),
  },
  size_invalid: {
    status: 400,
    code: "SIZE_INVALID",
    when: "the body is not as long as Content-Length or Content-Range says",
    message: ({ announcedBytes, receivedBytes }) =>
      `${bytes(announcedBytes)} were announced and ${receivedBytes} received`,
  },
  blob_too_large: {
    status: 413,
    code: "SIZE_INVALID",
    when: "the blob is larger than `registry.blobLimit`",
    message: ({ limitBytes }) => `the blob is larger than ${bytes(limitBytes)}`,
  },
  uploads_too_many: {
    status: 429,
    code: "TOOMANYREQUESTS",
    when: "the repository has too many unfinished uploads",
    message: ({ limit }) => `the repository has ${limit} unfinished uploads already`,
    headers: () => ({ "Retry-After": "60" }),
  },
  tag_immutable: {
    status: 400,
    code: "TAG_INVALID",
    when: "the tag points at another manifest, and the repository's tag mutability does not let it be moved",
    message: ({ tag, repository }) =>
      `The image tag '${tag}' already exists in the '${repository}' repository and cannot be overwritten because the repository is immutable.`,
  },
  repository_not_empty: {
    status: 409,
    code: "DENIED",
    when: "never here: settings are changed through the ECR API",
    message: ({ repository }) => `the repository ${repository} has images`,
  },
  setting_unknown: {
    status: 404,
    code: "UNSUPPORTED",
    when: "never here: settings are changed through the ECR API",
    message: ({ setting }) => `${setting} does not exist`,
  },
  setting_exists: {
    status: 409,
    code: "UNSUPPORTED",
    when: "never here: settings are changed through the ECR API",
    message: ({ setting }) => `${setting} exists already`,
  },
  limit_exceeded: {
    status: 400,
    code: "UNSUPPORTED",
    when: "never here: settings are changed through the ECR API",
    message: ({ what, limit }) => `there may be at most ${limit} ${what}`,
  },
  resource_tags_too_many: {
    status: 400,
    code: "UNSUPPORTED",
    when: "never here: settings are changed through the ECR API",
    message: ({ limit }) => `at most ${limit} tags`,
  },
  resource_tag_invalid: {
    status: 400,
    code: "UNSUPPORTED",
    when: "never here: settings are changed through the ECR API",
    message: ({ reason }) => reason,
  },
  parameter_invalid: {
    status: 400,
    code: "UNSUPPORTED",
    when: "a parameter or header is malformed; of `n` it is PAGINATION_NUMBER_INVALID, of Content-Range BLOB_UPLOAD_INVALID",
    message: ({ parameter, reason }) => `${parameter}: ${reason}`,
  },
  upstream_unavailable: {
    status: 502,
    code: "UNKNOWN",
    when: "the repository is a cache, the image is not here yet, and the upstream does not give it",
    message: ({ upstream, reason }) => `the upstream registry ${upstream} failed: ${reason}`,
  },
  upstream_denied: {
    status: 403,
    code: "DENIED",
    when: "the same, and the upstream refuses the credentials of the cache's rule",
    message: ({ upstream, reason }) => `the upstream registry ${upstream} refused: ${reason}`,
  },
  upstream_rate_limited: {
    status: 429,
    code: "TOOMANYREQUESTS",
    when: "the same, and the upstream limits how often it may be asked",
    message: ({ upstream }) => `the upstream registry ${upstream} has had too many requests`,
    headers: ({ retryAfterSeconds }): Record<string, string> =>
      retryAfterSeconds === undefined ? {} : { "Retry-After": String(retryAfterSeconds) },
  },
};

/** Of every endpoint that a pull-through cache may have to ask its upstream for. */
export const upstreamErrors = [
  "upstream_unavailable",
  "upstream_denied",
  "upstream_rate_limited",
] as const;

/** Parameters whose errors have a code of their own. */
const parameterCodes = new Map([
  ["n", "PAGINATION_NUMBER_INVALID"],
  ["Content-Range", "BLOB_UPLOAD_INVALID"],
]);

/** Errors of the protocol itself, which the registry's verbs do not know. */
const protocolErrors = {
  unauthorized: {
    status: 401,
    code: "UNAUTHORIZED",
    when: "credentials are missing, malformed, wrong or expired; WWW-Authenticate says how to come back",
  },
  denied: { status: 403, code: "DENIED", when: "the caller may not do this" },
  requests_too_many: {
    status: 429,
    code: "TOOMANYREQUESTS",
    when: "the caller asks more often than `throttling.registryRequestsPerSecond`; Retry-After says when to come back",
  },
  endpoint_unknown: { status: 404, code: "UNSUPPORTED", when: "no endpoint has this path" },
  method_unsupported: {
    status: 405,
    code: "UNSUPPORTED",
    when: "the endpoint does not have this method; Allow lists those that it has",
  },
  range_unsatisfiable: {
    status: 416,
    code: "RANGE_INVALID",
    when: "none of the ranges is in the blob; Content-Range tells its size",
  },
  tags_too_many: { status: 414, code: "TAG_INVALID", when: "more than 100 `tag` parameters" },
  body_stalled: {
    status: 408,
    code: "SIZE_INVALID",
    when: "the client sent nothing of the announced body for `limits.idle`, at the least half of it; the connection is closed",
  },
  body_cut_off: {
    status: 499,
    code: "SIZE_INVALID",
    when: "only in the log: the client went away before the end of the body",
  },
} as const satisfies Record<string, { status: number; code: string; when: string }>;

export type ProtocolErrorName = keyof typeof protocolErrors;

export interface CataloguedError {
  readonly status: number;
  readonly code: string;
  readonly when: string;
}

/** Everything that can be answered, by the name that the log has. */
export const errorCatalogue: Readonly<Record<ErrorCode | ProtocolErrorName, CataloguedError>> = {
  ...wireErrors,
  ...protocolErrors,
};

/** Of every endpoint that reads a body. */
export const bodyErrors = ["body_stalled", "body_cut_off"] as const;

export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  readonly error: ProtocolErrorName;
  readonly headers: Record<string, string>;
  constructor(error: ProtocolErrorName, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.error = error;
    this.headers = headers;
  }
}

/** Any error that has an answer; others are faults of the server. */
export function asProtocolError(error: unknown): ProtocolError | undefined {
  if (error instanceof ProtocolError) return error;
  // Nobody reads this one: the client is gone. The status is for the log, as proxies write it.
  if (error instanceof BodyCutOffError) return new ProtocolError("body_cut_off", error.message);
  if (error instanceof BodyStalledError) {
    // Otherwise the connection would wait for the rest of the body for ever.
    return new ProtocolError("body_stalled", error.message, { Connection: "close" });
  }
  return undefined;
}

export function protocolErrorResponse({ error, message, headers }: ProtocolError): Response {
  const { status, code } = protocolErrors[error];
  return errorResponse(status, code, message, { headers });
}

/** Status and body of an error response. */
function errorResponse(
  status: number,
  code: string,
  message: string,
  options: { details?: readonly unknown[]; headers?: Record<string, string> } = {},
): Response {
  const details = options.details ?? [undefined];
  const errors = details.map((detail) => ({
    code,
    message,
    ...(detail !== undefined && { detail }),
  }));
  return jsonResponse({ errors }, { status, ...(options.headers && { headers: options.headers }) });
}

export function ociErrorResponse<C extends ErrorCode>(error: RegistryError<C>): Response {
  const wire: WireError<C> = wireErrors[error.code];
  const { detail } = error;
  const code = "parameter" in detail ? parameterCodes.get(detail.parameter) : undefined;
  return errorResponse(wire.status, code ?? wire.code, wire.message(detail), {
    details: wire.details?.(detail) ?? [detail],
    headers: wire.headers?.(detail) ?? {},
  });
}

/** `0-<last byte>`; an empty upload says `0-0`, as every registry does. */
export function uploadRange(heldBytes: number): string {
  return `0-${Math.max(0, heldBytes - 1)}`;
}
