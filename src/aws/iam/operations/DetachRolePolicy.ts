/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DetachRolePolicy.html */
import { detachPolicyOperation } from "../holder-operations.ts";

export const DetachRolePolicy = detachPolicyOperation("role");
