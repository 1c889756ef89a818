/** Deletes a managed policy that nobody uses and that has its default version alone. */
import {
  changeIdentity,
  type IdentityContext,
  type IdentityTarget,
  removeIdentity,
} from "./identity-context.ts";
import { IdentityError } from "./identity-error.ts";
import { policyUses } from "./policy-uses.ts";

/** @throws IdentityError NoSuchEntity, DeleteConflict */
export async function deletePolicy(
  context: IdentityContext,
  target: IdentityTarget,
  policyArn: string,
): Promise<void> {
  await context.registry.metadata.transaction(async (tx) => {
    const policy = await changeIdentity(context, tx, "policy", target, (present) => present);
    const { attachments, boundaries } = (await policyUses(tx, target.account))(policyArn);
    if (attachments + boundaries > 0) {
      throw new IdentityError("DeleteConflict", "Cannot delete a policy attached to entities.");
    }
    if (policy.versions.length > 1) {
      throw new IdentityError(
        "DeleteConflict",
        "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
      );
    }
    await removeIdentity(context, tx, "policy", target);
  });
}
