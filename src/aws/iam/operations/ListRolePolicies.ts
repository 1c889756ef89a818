/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRolePolicies.html */
import { listPoliciesOperation } from "../holder-operations.ts";

export const ListRolePolicies = listPoliciesOperation("role");
