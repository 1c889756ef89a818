/** The user that an operation on access keys means. */
import { IdentityError } from "../../access/identities/identity-error.ts";
import { text } from "../query-operation.ts";
import type { IamCall } from "./operation.ts";

export const accessKeyId = text(16, 128, /^\w+$/);

/**
 * The caller, when the input names nobody.
 * @throws IdentityError ValidationError when the caller is no user
 */
export function userNameOf(
  { principal }: IamCall,
  input: { UserName?: string | undefined },
): string {
  const name = input.UserName ?? principal.userName;
  if (name !== undefined) return name;
  throw new IdentityError(
    "ValidationError",
    "Must specify userName when calling with non-User credentials",
  );
}
