/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteGroupPolicy.html */
import { deletePolicyOperation } from "../holder-operations.ts";

export const DeleteGroupPolicy = deletePolicyOperation("group");
