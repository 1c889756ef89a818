/** What IAM and STS refuse, under AWS's codes. The message is for the client. */

export type IdentityErrorCode =
  | "NoSuchEntity"
  | "EntityAlreadyExists"
  | "LimitExceeded"
  | "DeleteConflict"
  | "MalformedPolicyDocument"
  | "InvalidInput"
  | "ValidationError"
  | "UnmodifiableEntity"
  | "AccessDenied"
  | "PackedPolicyTooLarge"
  | "InvalidIdentityToken"
  | "ExpiredTokenException"
  | "IDPCommunicationError";

export class IdentityError extends Error {
  override readonly name = "IdentityError";
  readonly code: IdentityErrorCode;
  constructor(code: IdentityErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
