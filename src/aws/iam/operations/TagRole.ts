/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagRole.html */
import { tagOperation } from "../tag-operations.ts";

export const TagRole = tagOperation("role", "iam:TagRole");
