/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUserPolicy.html */
import { deletePolicyOperation } from "../holder-operations.ts";

export const DeleteUserPolicy = deletePolicyOperation("user");
