/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html */
import type { GetRoleResponse } from "@aws-sdk/client-iam";
import * as v from "valibot";
import { requireIdentity } from "../../../access/identities/identity-context.ts";
import { operation, permissionOn, read, roleName } from "../operation.ts";
import { roleShape } from "../shapes.ts";

export const GetRole = operation({
  input: v.object({ RoleName: roleName }),
  permission: (call, { RoleName }) => permissionOn(call, "iam:GetRole", "role", RoleName),
  async handle(call, { RoleName }): Promise<GetRoleResponse> {
    const { account } = call.principal;
    const role = await requireIdentity(read(call), "role", account, RoleName);
    return { Role: roleShape(account, role) };
  },
});
