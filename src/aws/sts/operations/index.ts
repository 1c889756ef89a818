/** Every operation of STS that is here, by its name. */
import type { QueryOperation } from "../../query-operation.ts";
import type { StsContext } from "../operation.ts";
import { AssumeRole } from "./AssumeRole.ts";
import { GetCallerIdentity } from "./GetCallerIdentity.ts";
import { GetSessionToken } from "./GetSessionToken.ts";

export const operations: Readonly<Record<string, QueryOperation<StsContext>>> = {
  AssumeRole,
  GetCallerIdentity,
  GetSessionToken,
};
