/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUserPolicy.html */
import { getPolicyOperation } from "../holder-operations.ts";

export const GetUserPolicy = getPolicyOperation("user");
