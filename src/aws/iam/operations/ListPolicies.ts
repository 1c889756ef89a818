/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicies.html */
import type { ListPoliciesResponse } from "@aws-sdk/client-iam";
import * as v from "valibot";
import { listIdentities } from "../../../access/identities/identity-context.ts";
import { policyUses } from "../../../access/identities/policy-uses.ts";
import { managedPolicies } from "../../../access/managed-policies.ts";
import { flag, optional } from "../../query-operation.ts";
import { operation, page, paged, pathPrefix, read } from "../operation.ts";
import { managedPolicyShape, policyShape } from "../shapes.ts";

export const ListPolicies = operation({
  input: v.object({
    ...page,
    PathPrefix: pathPrefix,
    Scope: v.optional(v.picklist(["All", "AWS", "Local"]), "All"),
    OnlyAttached: v.optional(flag, "false"),
    PolicyUsageFilter: optional(v.picklist(["PermissionsPolicy", "PermissionsBoundary"])),
  }),
  permission: () => ({ action: "iam:ListPolicies", resource: "*" }),
  async handle(call, input): Promise<ListPoliciesResponse> {
    const { account } = call.principal;
    const usesOf = await policyUses(read(call), account);
    const own = input.Scope === "AWS" ? [] : await listIdentities(read(call), "policy", account);
    const managed = input.Scope === "Local" ? [] : [...managedPolicies.values()];
    const all = [
      ...own.map((policy) => policyShape(account, policy, usesOf)),
      ...managed.map((policy) => managedPolicyShape(policy, usesOf)),
    ].filter(
      ({ Path, AttachmentCount, PermissionsBoundaryUsageCount }) =>
        Path.startsWith(input.PathPrefix ?? "/") &&
        (!input.OnlyAttached || AttachmentCount > 0) &&
        (input.PolicyUsageFilter !== "PermissionsPolicy" || AttachmentCount > 0) &&
        (input.PolicyUsageFilter !== "PermissionsBoundary" || PermissionsBoundaryUsageCount > 0),
    );
    all.sort((a, b) => (a.Arn < b.Arn ? -1 : 1));
    const { items, ...rest } = paged(all, ({ Arn }) => Arn, input);
    return { Policies: items, ...rest };
  },
});
