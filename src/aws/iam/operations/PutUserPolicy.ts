/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPolicy.html */
import { putPolicyOperation } from "../holder-operations.ts";

export const PutUserPolicy = putPolicyOperation("user");
