/**
 * The registry's errors in the words of the OCI Distribution specification.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes
 */
import type { ErrorCode, ErrorDetails, RegistryError } from "../registry/errors.ts";
import { BodyCutOffError, type BodyStalledError } from "./body.ts";
import { jsonResponse } from "./json-response.ts";
import { uploadLocation } from "./locations.ts";

interface WireError<C extends ErrorCode> {
  readonly status: number;
  readonly code: string;
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
    message: () => "invalid repository name",
  },
  tag_invalid: {
    status: 400,
    code: "TAG_INVALID",
    message: () => "invalid tag: at most 128 letters, digits, '_', '.', '-'",
  },
  digest_invalid: {
    status: 400,
    code: "DIGEST_INVALID",
    message: ({ reason }) => reason,
  },
  digest_mismatch: {
    status: 400,
    code: "DIGEST_INVALID",
    message: ({ expected, actual }) =>
      `the content does not have the digest ${expected}: it has ${actual}`,
  },
  repository_unknown: {
    status: 404,
    code: "NAME_UNKNOWN",
    message: ({ repository, account }) =>
      `The repository with name '${repository}' does not exist in the registry with id '${account}'`,
  },
  repository_exists: {
    status: 409,
    code: "DENIED",
    message: ({ repository }) => `The repository with name '${repository}' already exists`,
  },
  manifest_unknown: {
    status: 404,
    code: "MANIFEST_UNKNOWN",
    message: () => "Requested image not found",
  },
  manifest_invalid: {
    status: 400,
    code: "MANIFEST_INVALID",
    message: ({ reason }) => `manifest invalid: ${reason}`,
  },
  manifest_too_large: {
    status: 413,
    code: "MANIFEST_INVALID",
    message: ({ limitBytes }) => `the manifest is larger than ${bytes(limitBytes)}`,
  },
  manifest_references_unknown: {
    status: 400,
    code: "MANIFEST_BLOB_UNKNOWN",
    message: ({ digests }) =>
      `the manifest refers to content that the repository does not have (${digests.length} missing)`,
    details: ({ digests }) => digests.slice(0, detailsLimit).map((digest) => ({ digest })),
  },
  blob_unknown: {
    status: 404,
    code: "BLOB_UNKNOWN",
    message: () => "blob unknown to the repository",
  },
  blob_in_use: {
    status: 405,
    code: "UNSUPPORTED",
    message: ({ manifest }) =>
      `the blob belongs to ${manifest}: delete the manifests that refer to it first`,
  },
  upload_unknown: {
    status: 404,
    code: "BLOB_UPLOAD_UNKNOWN",
    message: () => "upload unknown: it was finished, cancelled, or it expired",
  },
  upload_range_invalid: {
    status: 416,
    code: "BLOB_UPLOAD_INVALID",
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
    message: ({ announcedBytes, receivedBytes }) =>
      `${bytes(announcedBytes)} were announced and ${receivedBytes} received`,
  },
  blob_too_large: {
    status: 413,
    code: "SIZE_INVALID",
    message: ({ limitBytes }) => `the blob is larger than ${bytes(limitBytes)}`,
  },
  uploads_too_many: {
    status: 429,
    code: "TOOMANYREQUESTS",
    message: ({ limit }) => `the repository has ${limit} unfinished uploads already`,
    headers: () => ({ "Retry-After": "60" }),
  },
  parameter_invalid: {
    status: 400,
    code: "UNSUPPORTED",
    message: ({ parameter, reason }) => `${parameter}: ${reason}`,
  },
};

/** Parameters whose errors have a code of their own. */
const parameterCodes = new Map([
  ["n", "PAGINATION_NUMBER_INVALID"],
  ["Content-Range", "BLOB_UPLOAD_INVALID"],
]);

/** Status and body of an error response. */
export function ociError(
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
  return ociError(wire.status, code ?? wire.code, wire.message(detail), {
    details: wire.details?.(detail) ?? [detail],
    headers: wire.headers?.(detail) ?? {},
  });
}

/** For a body that did not come to its end. */
export function bodyErrorResponse(error: BodyCutOffError | BodyStalledError): Response {
  // Nobody reads it: the client is gone. The status is for the log, as proxies write it.
  if (error instanceof BodyCutOffError) return ociError(499, "SIZE_INVALID", error.message);
  // Otherwise the connection would wait for the rest of the body for ever.
  return ociError(408, "SIZE_INVALID", error.message, { headers: { Connection: "close" } });
}

/** `0-<last byte>`; an empty upload says `0-0`, as every registry does. */
export function uploadRange(heldBytes: number): string {
  return `0-${Math.max(0, heldBytes - 1)}`;
}
