/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagInstanceProfile.html */
import { tagOperation } from "../tag-operations.ts";

export const TagInstanceProfile = tagOperation("instance-profile", "iam:TagInstanceProfile");
