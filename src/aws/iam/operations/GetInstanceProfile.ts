/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetInstanceProfile.html */
import type { GetInstanceProfileResponse } from "@aws-sdk/client-iam";
import * as v from "valibot";
import { requireIdentity } from "../../../access/identities/identity-context.ts";
import { rolesOfProfile } from "../instance-profile-roles.ts";
import { instanceProfileName, operation, permissionOn, read } from "../operation.ts";
import { instanceProfileShape } from "../shapes.ts";

export const GetInstanceProfile = operation({
  input: v.object({ InstanceProfileName: instanceProfileName }),
  permission: (call, { InstanceProfileName }) =>
    permissionOn(call, "iam:GetInstanceProfile", "instance-profile", InstanceProfileName),
  async handle(call, { InstanceProfileName: name }): Promise<GetInstanceProfileResponse> {
    const { account } = call.principal;
    const profile = await requireIdentity(read(call), "instance-profile", account, name);
    const roles = await rolesOfProfile(call, profile);
    return { InstanceProfile: instanceProfileShape(account, profile, roles) };
  },
});
