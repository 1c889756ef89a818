/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUserPolicies.html */
import { listPoliciesOperation } from "../holder-operations.ts";

export const ListUserPolicies = listPoliciesOperation("user");
