/** Every operation of STS that is here, by its name. */
import type { QueryOperation } from "../../query-operation.ts";
import type { UnsignedOperation } from "../../query-protocol.ts";
import type { StsContext } from "../operation.ts";
import { AssumeRole } from "./AssumeRole.ts";
import { AssumeRoleWithWebIdentity } from "./AssumeRoleWithWebIdentity.ts";
import { GetCallerIdentity } from "./GetCallerIdentity.ts";
import { GetSessionToken } from "./GetSessionToken.ts";

export const operations: Readonly<Record<string, QueryOperation<StsContext>>> = {
  AssumeRole,
  GetCallerIdentity,
  GetSessionToken,
};

/** Those whose callers have no credentials yet. */
export const unsignedOperations: Readonly<Record<string, UnsignedOperation<StsContext>>> = {
  AssumeRoleWithWebIdentity,
};
