/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListInstanceProfileTags.html */
import { listTagsOperation } from "../tag-operations.ts";

export const ListInstanceProfileTags = listTagsOperation(
  "instance-profile",
  "iam:ListInstanceProfileTags",
);
