/**
 * Everything that can go wrong in the registry's own words. No status codes here: `oci/errors.ts`
 * and `aws/ecr/errors.ts` map every code, and a code without a mapping does not compile.
 */

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
  /** A manifest refers to content that the repository does not hold. */
  manifest_references_unknown: { digests: readonly string[] };
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
  parameter_invalid: { parameter: string; reason: string };
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
