/** Managed policies that are attached to a user, a group or a role. */
import type { IdentityContext, IdentityTarget } from "./identity-context.ts";
import type { HolderType } from "./identity-documents.ts";
import { IdentityError } from "./identity-error.ts";
import { requirePolicyDocument } from "./policy-document.ts";
import { changePolicies } from "./policy-holders.ts";

const attachedPoliciesLimit = 10;

/**
 * Attaching what is attached changes nothing.
 * @throws IdentityError NoSuchEntity, LimitExceeded
 */
export async function attachPolicy(
  context: IdentityContext,
  type: HolderType,
  target: IdentityTarget,
  policyArn: string,
): Promise<void> {
  await context.registry.metadata.transaction(async (tx) => {
    await requirePolicyDocument(tx, target.account, policyArn);
    await changePolicies(context, tx, type, target, ({ inlinePolicies, attachedPolicies }) => {
      if (attachedPolicies.includes(policyArn)) return { inlinePolicies, attachedPolicies };
      if (attachedPolicies.length >= attachedPoliciesLimit) {
        const subject = type.charAt(0).toUpperCase() + type.slice(1);
        throw new IdentityError(
          "LimitExceeded",
          `Cannot exceed quota for PoliciesPer${subject}: ${attachedPoliciesLimit}`,
        );
      }
      return { inlinePolicies, attachedPolicies: [...attachedPolicies, policyArn] };
    });
  });
}

/** @throws IdentityError NoSuchEntity */
export async function detachPolicy(
  context: IdentityContext,
  type: HolderType,
  target: IdentityTarget,
  policyArn: string,
): Promise<void> {
  await context.registry.metadata.transaction((tx) =>
    changePolicies(context, tx, type, target, ({ inlinePolicies, attachedPolicies }) => {
      if (!attachedPolicies.includes(policyArn)) {
        throw new IdentityError("NoSuchEntity", `Policy ${policyArn} was not found.`);
      }
      return {
        inlinePolicies,
        attachedPolicies: attachedPolicies.filter((arn) => arn !== policyArn),
      };
    }),
  );
}
