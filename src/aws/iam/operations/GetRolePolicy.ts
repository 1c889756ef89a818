/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRolePolicy.html */
import { getPolicyOperation } from "../holder-operations.ts";

export const GetRolePolicy = getPolicyOperation("role");
