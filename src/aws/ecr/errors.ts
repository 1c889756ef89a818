/**
 * The registry's errors in Amazon ECR's terms, every code of them: one that is missing here does
 * not compile. Messages are ECR's own where they are known.
 */
import { type ErrorCode, type ErrorDetails, RegistryError } from "../../registry/errors.ts";
import { AwsError } from "../errors.ts";

export function invalidParameter(parameter: string, constraint: string): AwsError {
  return new AwsError(
    "InvalidParameterException",
    `Invalid parameter at '${parameter}' failed to satisfy constraint: '${constraint}'`,
  );
}

type Translation = { readonly [C in ErrorCode]: (detail: ErrorDetails[C]) => AwsError };

const translation = {
  name_invalid: () =>
    invalidParameter("repositoryName", "must satisfy the grammar of repository names"),
  tag_invalid: () =>
    invalidParameter("imageTag", "must satisfy regular expression '[a-zA-Z0-9_][a-zA-Z0-9._-]*'"),
  digest_invalid: ({ reason }) => invalidParameter("imageDigest", reason),
  digest_mismatch: ({ expected, actual }) =>
    new AwsError(
      "ImageDigestDoesNotMatchException",
      `The specified digest '${expected}' does not match the calculated digest '${actual}'`,
    ),
  repository_unknown: ({ repository, account }) =>
    new AwsError(
      "RepositoryNotFoundException",
      `The repository with name '${repository}' does not exist in the registry with id '${account}'`,
    ),
  repository_exists: ({ repository, account }) =>
    new AwsError(
      "RepositoryAlreadyExistsException",
      `The repository with name '${repository}' already exists in the registry with id '${account}'`,
    ),
  manifest_unknown: ({ repository, reference, account }) =>
    new AwsError(
      "ImageNotFoundException",
      `The image with imageId ${imageIdOf(reference)} does not exist within the repository with name '${repository}' in the registry with id '${account}'`,
    ),
  manifest_invalid: ({ reason }) => invalidParameter("imageManifest", reason),
  manifest_too_large: ({ limitBytes }) =>
    invalidParameter(
      "imageManifest",
      `Member must have length less than or equal to ${limitBytes}`,
    ),
  manifest_references_unknown: ({ digests }) => layersNotFound(digests),
  blob_unknown: ({ digest }) => layersNotFound([digest]),
  blob_in_use: ({ digest, manifest }) =>
    invalidParameter("layerDigest", `${digest} belongs to the image ${manifest}`),
  upload_unknown: ({ uploadId }) =>
    new AwsError("UploadNotFoundException", `The upload with id '${uploadId}' does not exist`),
  upload_range_invalid: ({ uploadId, repository, heldBytes }) =>
    new AwsError(
      "InvalidLayerPartException",
      "The layer part does not begin where the previous one ended",
      { fields: { uploadId, repositoryName: repository, lastValidByteReceived: heldBytes - 1 } },
    ),
  size_invalid: ({ announcedBytes, receivedBytes }) =>
    new AwsError(
      "InvalidLayerPartException",
      `The layer part was announced with ${announcedBytes} bytes and has ${receivedBytes}`,
    ),
  blob_too_large: ({ limitBytes }) =>
    new AwsError("LimitExceededException", `A layer must have at most ${limitBytes} bytes`),
  uploads_too_many: ({ limit }) =>
    new AwsError("LimitExceededException", `A repository must have at most ${limit} open uploads`),
  parameter_invalid: ({ parameter, reason }) => invalidParameter(parameter, reason),
} satisfies Translation;

/** Undefined for an error that is not the registry's. */
export function translateRegistryError(error: unknown): AwsError | undefined {
  return error instanceof RegistryError ? translate(error.code, error.detail) : undefined;
}

function translate<C extends ErrorCode>(code: C, detail: ErrorDetails[C]): AwsError {
  const translations: Translation = translation;
  return translations[code](detail);
}

function layersNotFound(digests: readonly string[]): AwsError {
  return new AwsError(
    "LayersNotFoundException",
    `The following layers do not exist: ${digests.slice(0, 10).join(", ")}`,
  );
}

function imageIdOf(reference: string): string {
  return reference.includes(":")
    ? `{imageDigest:'${reference}', imageTag:'null'}`
    : `{imageDigest:'null', imageTag:'${reference}'}`;
}
