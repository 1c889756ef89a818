/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagRole.html */
import { untagOperation } from "../tag-operations.ts";

export const UntagRole = untagOperation("role", "iam:UntagRole");
