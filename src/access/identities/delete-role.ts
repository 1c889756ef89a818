/** Deletes a role that has no policies and is in no instance profile. Its sessions lose their rights. */
import { requireWithoutPolicies } from "./delete-conflicts.ts";
import {
  changeIdentity,
  type IdentityContext,
  type IdentityTarget,
  listIdentities,
  removeIdentity,
} from "./identity-context.ts";
import { documentName } from "./identity-documents.ts";
import { IdentityError } from "./identity-error.ts";

/** @throws IdentityError NoSuchEntity, DeleteConflict */
export async function deleteRole(context: IdentityContext, target: IdentityTarget): Promise<void> {
  await context.registry.metadata.transaction(async (tx) => {
    const role = await changeIdentity(context, tx, "role", target, (present) => present);
    const name = documentName(role.name);
    const profiles = await listIdentities(tx, "instance-profile", target.account);
    if (profiles.some(({ roles }) => roles.some((used) => documentName(used) === name))) {
      throw new IdentityError(
        "DeleteConflict",
        "Cannot delete entity, must remove roles from instance profile first.",
      );
    }
    requireWithoutPolicies(role);
    await removeIdentity(context, tx, "role", target);
  });
}
