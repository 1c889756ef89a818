/** Deletes an instance profile that has no role. */
import {
  changeIdentity,
  type IdentityContext,
  type IdentityTarget,
  removeIdentity,
} from "./identity-context.ts";
import { IdentityError } from "./identity-error.ts";

/** @throws IdentityError NoSuchEntity, DeleteConflict */
export async function deleteInstanceProfile(
  context: IdentityContext,
  target: IdentityTarget,
): Promise<void> {
  await context.registry.metadata.transaction(async (tx) => {
    const profile = await changeIdentity(context, tx, "instance-profile", target, (same) => same);
    if (profile.roles.length > 0) {
      throw new IdentityError(
        "DeleteConflict",
        "Cannot delete entity, must remove roles from instance profile first.",
      );
    }
    await removeIdentity(context, tx, "instance-profile", target);
  });
}
