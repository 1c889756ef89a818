/** What stands in the way of a deletion. */
import type { PolicyHolder } from "./identity-documents.ts";
import { IdentityError } from "./identity-error.ts";

/** @throws IdentityError DeleteConflict */
export function requireWithoutPolicies(holder: PolicyHolder): void {
  if (Object.keys(holder.inlinePolicies).length > 0) {
    throw new IdentityError("DeleteConflict", "Cannot delete entity, must delete policies first.");
  }
  if (holder.attachedPolicies.length > 0) {
    throw new IdentityError(
      "DeleteConflict",
      "Cannot delete entity, must detach all policies first.",
    );
  }
}
