/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutGroupPolicy.html */
import { putPolicyOperation } from "../holder-operations.ts";

export const PutGroupPolicy = putPolicyOperation("group");
