/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListInstanceProfilesForRole.html */
import type { ListInstanceProfilesForRoleResponse } from "@aws-sdk/client-iam";
import * as v from "valibot";
import { listIdentities, requireIdentity } from "../../../access/identities/identity-context.ts";
import { documentName } from "../../../access/identities/identity-documents.ts";
import { operation, page, paged, permissionOn, read, roleName } from "../operation.ts";
import { instanceProfileShape } from "../shapes.ts";

export const ListInstanceProfilesForRole = operation({
  input: v.object({ ...page, RoleName: roleName }),
  permission: (call, { RoleName }) =>
    permissionOn(call, "iam:ListInstanceProfilesForRole", "role", RoleName),
  async handle(call, input): Promise<ListInstanceProfilesForRoleResponse> {
    const { account } = call.principal;
    const role = await requireIdentity(read(call), "role", account, input.RoleName);
    const all = await listIdentities(read(call), "instance-profile", account);
    const matching = all.filter(({ roles }) => roles.includes(role.name));
    const { items, ...rest } = paged(matching, ({ name }) => documentName(name), input);
    const InstanceProfiles = items.map((item) => instanceProfileShape(account, item, [role]));
    return { InstanceProfiles, ...rest };
  },
});
