/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagPolicy.html */
import { tagOperation } from "../tag-operations.ts";

export const TagPolicy = tagOperation("policy", "iam:TagPolicy");
