/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagInstanceProfile.html */
import { untagOperation } from "../tag-operations.ts";

export const UntagInstanceProfile = untagOperation("instance-profile", "iam:UntagInstanceProfile");
