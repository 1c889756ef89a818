/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAttachedUserPolicies.html */
import { listAttachedPoliciesOperation } from "../holder-operations.ts";

export const ListAttachedUserPolicies = listAttachedPoliciesOperation("user");
