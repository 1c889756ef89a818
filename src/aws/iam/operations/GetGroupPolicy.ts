/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetGroupPolicy.html */
import { getPolicyOperation } from "../holder-operations.ts";

export const GetGroupPolicy = getPolicyOperation("group");
