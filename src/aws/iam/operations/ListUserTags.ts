/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUserTags.html */
import { listTagsOperation } from "../tag-operations.ts";

export const ListUserTags = listTagsOperation("user", "iam:ListUserTags");
