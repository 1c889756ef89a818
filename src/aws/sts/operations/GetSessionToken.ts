/** https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html */
import type { GetSessionTokenResponse } from "@aws-sdk/client-sts";
import * as v from "valibot";
import { IdentityError } from "../../../access/identities/identity-error.ts";
import { integer, optional } from "../../query-operation.ts";
import { credentialsShape, operation } from "../operation.ts";

const defaultSeconds = 43_200;
/** Sessions of an account's root last an hour at most, whatever is asked for. */
const rootSeconds = 3600;

export const GetSessionToken = operation({
  input: v.object({ DurationSeconds: optional(integer(900, 129_600)) }),
  // As with AWS, no policy is needed for it, and what the session may do is what its user may.
  permission: () => [],
  async handle(call, input): Promise<GetSessionTokenResponse> {
    const { principal } = call;
    if (principal.session !== undefined) {
      throw new IdentityError(
        "AccessDenied",
        "Cannot call GetSessionToken with session credentials",
      );
    }
    const asked = input.DurationSeconds ?? defaultSeconds;
    const seconds = principal.kind === "root" ? Math.min(asked, rootSeconds) : asked;
    const issued = call.service.sessions.issue(principal, seconds);
    if (issued === undefined) throw new Error("a session without policies fits");
    return { Credentials: credentialsShape(issued) };
  },
});
