/** https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html */
import type { GetCallerIdentityResponse } from "@aws-sdk/client-sts";
import * as v from "valibot";
import { operation } from "../operation.ts";

export const GetCallerIdentity = operation({
  input: v.object({}),
  // Everybody may ask who they are, also where a policy denies it.
  permission: () => [],
  async handle({ principal }): Promise<GetCallerIdentityResponse> {
    return { UserId: principal.userId, Account: principal.account, Arn: principal.arn };
  },
});
