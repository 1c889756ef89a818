/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoleTags.html */
import { listTagsOperation } from "../tag-operations.ts";

export const ListRoleTags = listTagsOperation("role", "iam:ListRoleTags");
