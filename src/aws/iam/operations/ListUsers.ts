/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html */
import type { ListUsersResponse } from "@aws-sdk/client-iam";
import * as v from "valibot";
import { listIdentities } from "../../../access/identities/identity-context.ts";
import { documentName } from "../../../access/identities/identity-documents.ts";
import { operation, page, paged, pathPrefix, read } from "../operation.ts";
import { userShape } from "../shapes.ts";

export const ListUsers = operation({
  input: v.object({ ...page, PathPrefix: pathPrefix }),
  permission: (call, { PathPrefix = "/" }) => ({
    action: "iam:ListUsers",
    resource: `arn:aws:iam::${call.principal.account}:user${PathPrefix}`,
  }),
  async handle(call, input): Promise<ListUsersResponse> {
    const { account } = call.principal;
    const all = await listIdentities(read(call), "user", account);
    const matching = all.filter(({ path }) => path.startsWith(input.PathPrefix ?? "/"));
    const { items, ...rest } = paged(matching, ({ name }) => documentName(name), input);
    return { Users: items.map((item) => userShape(account, item)), ...rest };
  },
});
