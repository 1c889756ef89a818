/** The refusals of IAM's and STS's verbs, with the status that AWS gives each. */
import { IdentityError, type IdentityErrorCode } from "../access/identities/identity-error.ts";
import { AwsError } from "./errors.ts";

const statuses: Readonly<Record<IdentityErrorCode, number>> = {
  NoSuchEntity: 404,
  EntityAlreadyExists: 409,
  LimitExceeded: 409,
  DeleteConflict: 409,
  MalformedPolicyDocument: 400,
  InvalidInput: 400,
  ValidationError: 400,
  UnmodifiableEntity: 400,
  AccessDenied: 403,
  PackedPolicyTooLarge: 400,
  InvalidIdentityToken: 400,
  ExpiredTokenException: 400,
  IDPCommunicationError: 400,
};

/** Undefined for an error that is not theirs. */
export function translateIdentityError(error: unknown): AwsError | undefined {
  if (!(error instanceof IdentityError)) return undefined;
  return new AwsError(error.code, error.message, { status: statuses[error.code], cause: error });
}
