/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAttachedGroupPolicies.html */
import { listAttachedPoliciesOperation } from "../holder-operations.ts";

export const ListAttachedGroupPolicies = listAttachedPoliciesOperation("group");
