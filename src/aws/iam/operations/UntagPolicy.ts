/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagPolicy.html */
import { untagOperation } from "../tag-operations.ts";

export const UntagPolicy = untagOperation("policy", "iam:UntagPolicy");
