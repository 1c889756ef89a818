/** IAM and STS as services of the Query protocol. */
import type { IdentityContext } from "../access/identities/identity-context.ts";
import type { KeyUsage } from "../access/identities/key-usage.ts";
import type { SessionCredentials } from "../access/identities/session-credentials.ts";
import type { WebIdentities } from "../access/identities/web-identity.ts";
import { operations as iamOperations } from "./iam/operations/index.ts";
import { translateIdentityError } from "./identity-errors.ts";
import type { QueryService } from "./query-protocol.ts";
import {
  operations as stsOperations,
  unsignedOperations as stsUnsigned,
} from "./sts/operations/index.ts";

/** What IAM's and STS's operations work with. */
export interface IdentityServiceContext {
  readonly identities: IdentityContext;
  readonly sessions: SessionCredentials;
  readonly usage: KeyUsage;
  readonly webIdentities: WebIdentities;
}

export function identityServices(
  context: IdentityServiceContext,
): QueryService<IdentityServiceContext>[] {
  return [
    {
      signingName: "sts",
      version: "2011-06-15",
      namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
      operations: stsOperations,
      unsignedOperations: stsUnsigned,
      context,
      translateError: translateIdentityError,
    },
    {
      signingName: "iam",
      version: "2010-05-08",
      namespace: "https://iam.amazonaws.com/doc/2010-05-08/",
      operations: iamOperations,
      unsignedOperations: {},
      context,
      translateError: translateIdentityError,
    },
  ];
}
