/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListGroupsForUser.html */
import type { ListGroupsForUserResponse } from "@aws-sdk/client-iam";
import * as v from "valibot";
import { findIdentity, requireIdentity } from "../../../access/identities/identity-context.ts";
import { documentName } from "../../../access/identities/identity-documents.ts";
import { operation, page, paged, permissionOn, read, userName } from "../operation.ts";
import { groupShape } from "../shapes.ts";

export const ListGroupsForUser = operation({
  input: v.object({ ...page, UserName: userName }),
  permission: (call, { UserName }) => permissionOn(call, "iam:ListGroupsForUser", "user", UserName),
  async handle(call, input): Promise<ListGroupsForUserResponse> {
    const { account } = call.principal;
    const user = await requireIdentity(read(call), "user", account, input.UserName);
    const found = user.groups.map((name) => findIdentity(read(call), "group", account, name));
    const groups = (await Promise.all(found)).flatMap((group) => group ?? []);
    groups.sort((a, b) => (documentName(a.name) < documentName(b.name) ? -1 : 1));
    const { items, ...rest } = paged(groups, ({ name }) => documentName(name), input);
    return { Groups: items.map((group) => groupShape(account, group)), ...rest };
  },
});
