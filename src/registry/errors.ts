/**
 * Everything that can go wrong in the registry's own words. No status codes here: `oci/errors.ts`
 * and `aws/ecr/errors.ts` map every code, and a code without a mapping does not compile.
 */

/** Settings that can be missing. */
export type SettingName =
  | "repository_policy"
  | "registry_policy"
  | "lifecycle_policy"
  | "lifecycle_policy_preview"
  | "creation_template"
  | "pull_through_cache_rule"
  | "pull_time_exclusion"
  | "signing_configuration"
  | "replication_backfill";

/** What each error carries, for its message and its detail. */
export interface ErrorDetails {
  name_invalid: { name: string };
  tag_invalid: { tag: string };
  digest_invalid: { digest: string; reason: string };
  /** The bytes do not have the digest that was promised. */
  digest_mismatch: { expected: string; actual: string };
  repository_unknown: { repository: string; account: string };
  repository_exists: { repository: string; account: string };
  manifest_unknown: { repository: string; reference: string; account: string };
  manifest_invalid: { reason: string };
  manifest_too_large: { limitBytes: number };
  /** A manifest refers to content that the repository does not hold: to blobs, or to manifests. */
  manifest_references_unknown: { digests: readonly string[]; manifests?: boolean };
  /** An index of the repository refers to the manifest. */
  manifest_in_use: { digest: string; index: string };
  blob_unknown: { digest: string };
  /** The blob belongs to images that still exist. */
  blob_in_use: { digest: string; manifest: string };
  upload_unknown: { uploadId: string };
  /** The chunk does not begin where the upload ended. */
  upload_range_invalid: { uploadId: string; repository: string; heldBytes: number };
  /** The bytes received are not as many as announced. */
  size_invalid: { announcedBytes: number; receivedBytes: number };
  blob_too_large: { limitBytes: number };
  uploads_too_many: { limit: number };
  /** The tag points at another manifest, and the repository's settings do not let it be moved. */
  tag_immutable: { tag: string; repository: string; account: string };
  repository_not_empty: { repository: string; account: string };
  /** A setting that was asked for, changed or deleted, and is not there. */
  setting_unknown: { setting: SettingName; name: string; account: string };
  setting_exists: { setting: SettingName; name: string; account: string };
  /** A further one would be more than there may be. */
  limit_exceeded: { what: string; limit: number };
  resource_tags_too_many: { limit: number };
  resource_tag_invalid: { reason: string };
  parameter_invalid: { parameter: string; reason: string };
  /** The upstream of a pull-through cache does not give what is not here yet. */
  upstream_unavailable: { upstream: string; reason: string };
  upstream_denied: { upstream: string; reason: string };
  upstream_rate_limited: { upstream: string; retryAfterSeconds: number | undefined };
}

export type ErrorCode = keyof ErrorDetails;

export class RegistryError<C extends ErrorCode = ErrorCode> extends Error {
  override readonly name = "RegistryError";
  readonly code: C;
  readonly detail: ErrorDetails[C];
  constructor(code: C, detail: ErrorDetails[C], options?: { cause?: unknown }) {
    super(`${code}: ${JSON.stringify(detail)}`, options);
    this.code = code;
    this.detail = detail;
  }
}

/** Narrows an unknown error to one code. */
export function isRegistryError<C extends ErrorCode>(
  error: unknown,
  code: C,
): error is RegistryError<C> {
  return error instanceof RegistryError && error.code === code;
}
