/** Deletes a group that has neither users nor policies. */
import { requireWithoutPolicies } from "./delete-conflicts.ts";
import { listMembers } from "./group-members.ts";
import {
  changeIdentity,
  type IdentityContext,
  type IdentityTarget,
  removeIdentity,
} from "./identity-context.ts";
import { IdentityError } from "./identity-error.ts";

/** @throws IdentityError NoSuchEntity, DeleteConflict */
export async function deleteGroup(context: IdentityContext, target: IdentityTarget): Promise<void> {
  await context.registry.metadata.transaction(async (tx) => {
    const group = await changeIdentity(context, tx, "group", target, (present) => present);
    if ((await listMembers(tx, target.account, group.name)).length > 0) {
      throw new IdentityError(
        "DeleteConflict",
        "Cannot delete entity, must remove users from group first.",
      );
    }
    requireWithoutPolicies(group);
    await removeIdentity(context, tx, "group", target);
  });
}
