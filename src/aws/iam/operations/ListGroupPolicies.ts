/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListGroupPolicies.html */
import { listPoliciesOperation } from "../holder-operations.ts";

export const ListGroupPolicies = listPoliciesOperation("group");
