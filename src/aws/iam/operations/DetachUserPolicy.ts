/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DetachUserPolicy.html */
import { detachPolicyOperation } from "../holder-operations.ts";

export const DetachUserPolicy = detachPolicyOperation("user");
