/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html */
import { attachPolicyOperation } from "../holder-operations.ts";

export const AttachRolePolicy = attachPolicyOperation("role");
