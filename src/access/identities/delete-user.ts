/** Deletes a user that has nothing left: AWS wants every part of it taken away first. */
import { listDocuments } from "../../registry/documents.ts";
import { requireWithoutPolicies } from "./delete-conflicts.ts";
import {
  changeIdentity,
  type IdentityContext,
  type IdentityTarget,
  removeIdentity,
} from "./identity-context.ts";
import { accessKeyKind, documentName } from "./identity-documents.ts";
import { IdentityError } from "./identity-error.ts";

/** @throws IdentityError NoSuchEntity, DeleteConflict */
export async function deleteUser(context: IdentityContext, target: IdentityTarget): Promise<void> {
  await context.registry.metadata.transaction(async (tx) => {
    // Holds the user, so that nobody gives it a key meanwhile.
    const user = await changeIdentity(context, tx, "user", target, (present) => present);
    const [key] = await listDocuments(tx, accessKeyKind, target.account, {
      owner: documentName(target.name),
      limit: 1,
    });
    if (key !== undefined) {
      throw new IdentityError(
        "DeleteConflict",
        "Cannot delete entity, must delete access keys first.",
      );
    }
    requireWithoutPolicies(user);
    if (user.groups.length > 0) {
      throw new IdentityError(
        "DeleteConflict",
        "Cannot delete entity, must remove users from group first.",
      );
    }
    await removeIdentity(context, tx, "user", target);
  });
}
