/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DetachGroupPolicy.html */
import { detachPolicyOperation } from "../holder-operations.ts";

export const DetachGroupPolicy = detachPolicyOperation("group");
