/** Inline and managed policies of users, groups and roles. */
import type { Transaction } from "../../metadata/metadata-store.ts";
import { changeIdentity, type IdentityContext, type IdentityTarget } from "./identity-context.ts";
import type { HolderType, PolicyHolder } from "./identity-documents.ts";

/** Writes the policies of a holder of any type. */
export async function changePolicies(
  context: IdentityContext,
  tx: Transaction,
  type: HolderType,
  target: IdentityTarget,
  change: (present: PolicyHolder) => PolicyHolder,
): Promise<void> {
  switch (type) {
    case "user":
      await changeIdentity(context, tx, "user", target, (user) => ({ ...user, ...change(user) }));
      break;
    case "group":
      await changeIdentity(context, tx, "group", target, (group) => ({
        ...group,
        ...change(group),
      }));
      break;
    case "role":
      await changeIdentity(context, tx, "role", target, (role) => ({ ...role, ...change(role) }));
      break;
  }
}
