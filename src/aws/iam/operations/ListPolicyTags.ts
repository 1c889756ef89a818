/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicyTags.html */
import { listTagsOperation } from "../tag-operations.ts";

export const ListPolicyTags = listTagsOperation("policy", "iam:ListPolicyTags");
