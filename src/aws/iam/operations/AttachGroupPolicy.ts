/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachGroupPolicy.html */
import { attachPolicyOperation } from "../holder-operations.ts";

export const AttachGroupPolicy = attachPolicyOperation("group");
