/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRolePolicy.html */
import { deletePolicyOperation } from "../holder-operations.ts";

export const DeleteRolePolicy = deletePolicyOperation("role");
