/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagUser.html */
import { tagOperation } from "../tag-operations.ts";

export const TagUser = tagOperation("user", "iam:TagUser");
