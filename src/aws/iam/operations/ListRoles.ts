/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html */
import type { ListRolesResponse } from "@aws-sdk/client-iam";
import * as v from "valibot";
import { listIdentities } from "../../../access/identities/identity-context.ts";
import { documentName } from "../../../access/identities/identity-documents.ts";
import { operation, page, paged, pathPrefix, read } from "../operation.ts";
import { roleShape } from "../shapes.ts";

export const ListRoles = operation({
  input: v.object({ ...page, PathPrefix: pathPrefix }),
  permission: (call, { PathPrefix = "/" }) => ({
    action: "iam:ListRoles",
    resource: `arn:aws:iam::${call.principal.account}:role${PathPrefix}`,
  }),
  async handle(call, input): Promise<ListRolesResponse> {
    const { account } = call.principal;
    const all = await listIdentities(read(call), "role", account);
    const matching = all.filter(({ path }) => path.startsWith(input.PathPrefix ?? "/"));
    const { items, ...rest } = paged(matching, ({ name }) => documentName(name), input);
    return { Roles: items.map((item) => roleShape(account, item)), ...rest };
  },
});
