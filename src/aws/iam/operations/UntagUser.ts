/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagUser.html */
import { untagOperation } from "../tag-operations.ts";

export const UntagUser = untagOperation("user", "iam:UntagUser");
