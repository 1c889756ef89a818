/**
 * An answer of refusal in AWS's terms, and the refusals that every service has in common.
 *
 * Their status is 400, as Amazon ECR really answers, also where its manual says 403.
 * https://github.com/aws/aws-sdk-php/issues/1114
 */
import type { Decision, Permission } from "../access/access.ts";

export class AwsError extends Error {
  override readonly name = "AwsError";
  /** For example `RepositoryNotFoundException`. */
  readonly type: string;
  readonly status: number;
  /** Members of the error's shape besides the message. */
  readonly fields: Readonly<Record<string, string | number>>;
  constructor(
    type: string,
    message: string,
    options: {
      status?: number;
      fields?: Readonly<Record<string, string | number>>;
      cause?: unknown;
    } = {},
  ) {
    super(message, { cause: options.cause });
    this.type = type;
    this.status = options.status ?? 400;
    this.fields = options.fields ?? {};
  }
}

export const missingAuthenticationToken = () =>
  new AwsError("MissingAuthenticationTokenException", "Missing Authentication Token");

export const incompleteSignature = (message: string) =>
  new AwsError("IncompleteSignatureException", message);

export const invalidSignature = (message: string) =>
  new AwsError("InvalidSignatureException", message);

export const signatureDoesNotMatch = () =>
  invalidSignature(
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
  );

export const unrecognizedClient = () =>
  new AwsError(
    "UnrecognizedClientException",
    "The security token included in the request is invalid.",
  );

export const expiredToken = () =>
  new AwsError("ExpiredTokenException", "The security token included in the request is expired");

/** Knows what was refused, for doors that tell it apart from the sentence. */
export class AccessDeniedError extends AwsError {
  readonly permission: Permission | undefined;
  constructor({ message, refused }: Decision) {
    super("AccessDeniedException", message);
    this.permission = refused;
  }
}

export const accessDenied = (decision: Decision) => new AccessDeniedError(decision);

export const serialization = (message: string) => new AwsError("SerializationException", message);

export const unknownOperation = () =>
  new AwsError("UnknownOperationException", "The operation is not known to this service.", {
    status: 404,
  });

export const requestEntityTooLarge = (limitBytes: number) =>
  new AwsError(
    "RequestEntityTooLargeException",
    `The request body must have at most ${limitBytes} bytes.`,
    { status: 413 },
  );

export const requestTimeout = () =>
  new AwsError("RequestTimeoutException", "The request body did not arrive.", { status: 408 });
