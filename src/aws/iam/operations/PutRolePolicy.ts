/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html */
import { putPolicyOperation } from "../holder-operations.ts";

export const PutRolePolicy = putPolicyOperation("role");
