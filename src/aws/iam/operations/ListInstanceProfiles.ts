/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListInstanceProfiles.html */
import type { ListInstanceProfilesResponse } from "@aws-sdk/client-iam";
import * as v from "valibot";
import { listIdentities } from "../../../access/identities/identity-context.ts";
import { documentName } from "../../../access/identities/identity-documents.ts";
import { rolesOfProfile } from "../instance-profile-roles.ts";
import { operation, page, paged, pathPrefix, read } from "../operation.ts";
import { instanceProfileShape } from "../shapes.ts";

export const ListInstanceProfiles = operation({
  input: v.object({ ...page, PathPrefix: pathPrefix }),
  permission: (call, { PathPrefix = "/" }) => ({
    action: "iam:ListInstanceProfiles",
    resource: `arn:aws:iam::${call.principal.account}:instance-profile${PathPrefix}`,
  }),
  async handle(call, input): Promise<ListInstanceProfilesResponse> {
    const { account } = call.principal;
    const all = await listIdentities(read(call), "instance-profile", account);
    const matching = all.filter(({ path }) => path.startsWith(input.PathPrefix ?? "/"));
    const { items, ...rest } = paged(matching, ({ name }) => documentName(name), input);
    const shapes = items.map(async (profile) =>
      instanceProfileShape(account, profile, await rolesOfProfile(call, profile)),
    );
    return { InstanceProfiles: await Promise.all(shapes), ...rest };
  },
});
