/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachUserPolicy.html */
import { attachPolicyOperation } from "../holder-operations.ts";

export const AttachUserPolicy = attachPolicyOperation("user");
