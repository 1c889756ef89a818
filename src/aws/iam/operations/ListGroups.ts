/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListGroups.html */
import type { ListGroupsResponse } from "@aws-sdk/client-iam";
import * as v from "valibot";
import { listIdentities } from "../../../access/identities/identity-context.ts";
import { documentName } from "../../../access/identities/identity-documents.ts";
import { operation, page, paged, pathPrefix, read } from "../operation.ts";
import { groupShape } from "../shapes.ts";

export const ListGroups = operation({
  input: v.object({ ...page, PathPrefix: pathPrefix }),
  permission: (call, { PathPrefix = "/" }) => ({
    action: "iam:ListGroups",
    resource: `arn:aws:iam::${call.principal.account}:group${PathPrefix}`,
  }),
  async handle(call, input): Promise<ListGroupsResponse> {
    const { account } = call.principal;
    const all = await listIdentities(read(call), "group", account);
    const matching = all.filter(({ path }) => path.startsWith(input.PathPrefix ?? "/"));
    const { items, ...rest } = paged(matching, ({ name }) => documentName(name), input);
    return { Groups: items.map((item) => groupShape(account, item)), ...rest };
  },
});
