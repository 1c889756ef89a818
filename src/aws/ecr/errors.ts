/**
 * The registry's errors in Amazon ECR's terms, every code of them: one that is missing here does
 * not compile. Messages are ECR's own where they are known.
 */
import {
  type ErrorCode,
  type ErrorDetails,
  RegistryError,
  type SettingName,
} from "../../registry/errors.ts";
import { AwsError } from "../errors.ts";

export function invalidParameter(parameter: string, constraint: string): AwsError {
  return new AwsError(
    "InvalidParameterException",
    `Invalid parameter at '${parameter}' failed to satisfy constraint: '${constraint}'`,
  );
}

interface SettingErrors {
  readonly unknown: (name: string, account: string) => AwsError;
  readonly exists: (name: string, account: string) => AwsError;
}

/** @param text what is missing, or there already, as a noun */
function settingError(
  unknown: string,
  exists: string,
  text: (name: string, account: string) => string,
): SettingErrors {
  return {
    unknown: (name, account) => new AwsError(unknown, `${text(name, account)} does not exist`),
    exists: (name, account) => new AwsError(exists, `${text(name, account)} already exists`),
  };
}

const ofRegistry = (account: string) => `in the registry with id '${account}'`;
const ofRepository = (noun: string) => (name: string, account: string) =>
  `${noun} for the repository with name '${name}' ${ofRegistry(account)}`;

const settingErrors: { readonly [Name in SettingName]: SettingErrors } = {
  repository_policy: settingError(
    "RepositoryPolicyNotFoundException",
    "InvalidParameterException",
    ofRepository("Repository policy"),
  ),
  registry_policy: settingError(
    "RegistryPolicyNotFoundException",
    "InvalidParameterException",
    (_name, account) => `Registry policy ${ofRegistry(account)}`,
  ),
  lifecycle_policy: settingError(
    "LifecyclePolicyNotFoundException",
    "InvalidParameterException",
    ofRepository("Lifecycle policy"),
  ),
  lifecycle_policy_preview: settingError(
    "LifecyclePolicyPreviewNotFoundException",
    "LifecyclePolicyPreviewInProgressException",
    ofRepository("Lifecycle policy preview"),
  ),
  creation_template: settingError(
    "TemplateNotFoundException",
    "TemplateAlreadyExistsException",
    (name, account) =>
      `The repository creation template with prefix '${name}' ${ofRegistry(account)}`,
  ),
  pull_through_cache_rule: settingError(
    "PullThroughCacheRuleNotFoundException",
    "PullThroughCacheRuleAlreadyExistsException",
    (name, account) => `The pull through cache rule with prefix '${name}' ${ofRegistry(account)}`,
  ),
  pull_time_exclusion: settingError(
    "ExclusionNotFoundException",
    "ExclusionAlreadyExistsException",
    (name) => `The pull time update exclusion for '${name}'`,
  ),
  signing_configuration: settingError(
    "SigningConfigurationNotFoundException",
    "InvalidParameterException",
    (_name, account) => `Signing configuration ${ofRegistry(account)}`,
  ),
  replication_backfill: settingError(
    "ReplicationBackfillNotFoundException",
    "ReplicationBackfillInProgressException",
    (name) => `The replication backfill '${name}'`,
  ),
};

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
  manifest_references_unknown: ({ digests, manifests }) =>
    manifests === true ? referencedImagesNotFound(digests) : layersNotFound(digests),
  manifest_in_use: ({ digest, index }) =>
    invalidParameter("imageId", `${digest} is referenced by the manifest list ${index}`),
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
  tag_immutable: ({ tag, repository }) =>
    new AwsError(
      "ImageTagAlreadyExistsException",
      `The image tag '${tag}' already exists in the '${repository}' repository and cannot be overwritten because the repository is immutable.`,
    ),
  repository_not_empty: ({ repository, account }) =>
    new AwsError(
      "RepositoryNotEmptyException",
      `The repository with name '${repository}' in registry with id '${account}' cannot be deleted because it still contains images`,
    ),
  setting_unknown: ({ setting, name, account }) => settingErrors[setting].unknown(name, account),
  setting_exists: ({ setting, name, account }) => settingErrors[setting].exists(name, account),
  limit_exceeded: ({ what, limit }) =>
    new AwsError("LimitExceededException", `There may be at most ${limit} ${what}`),
  resource_tags_too_many: ({ limit }) =>
    new AwsError("TooManyTagsException", `A repository may have at most ${limit} tags`),
  resource_tag_invalid: ({ reason }) => new AwsError("InvalidTagParameterException", reason),
  parameter_invalid: ({ parameter, reason }) => invalidParameter(parameter, reason),
  upstream_unavailable: ({ upstream, reason }) =>
    new AwsError("ServerException", `The upstream registry ${upstream} failed: ${reason}`, {
      status: 502,
    }),
  upstream_denied: ({ upstream }) =>
    new AwsError("UnableToGetUpstreamLayerException", `The upstream registry ${upstream} refused`),
  upstream_rate_limited: ({ upstream }) =>
    new AwsError(
      "UnableToGetUpstreamLayerException",
      `The upstream registry ${upstream} has had too many requests`,
    ),
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

function referencedImagesNotFound(digests: readonly string[]): AwsError {
  return new AwsError(
    "ReferencedImagesNotFoundException",
    `The following referenced images do not exist: ${digests.slice(0, 10).join(", ")}`,
  );
}

function imageIdOf(reference: string): string {
  return reference.includes(":")
    ? `{imageDigest:'${reference}', imageTag:'null'}`
    : `{imageDigest:'null', imageTag:'${reference}'}`;
}
