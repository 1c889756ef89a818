/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAttachedRolePolicies.html */
import { listAttachedPoliciesOperation } from "../holder-operations.ts";

export const ListAttachedRolePolicies = listAttachedPoliciesOperation("role");
