/** Inline policies of a user, a group or a role. */
import { policyCharacters, policyCharactersLimits } from "../policy/policy-types.ts";
import type { IdentityContext, IdentityTarget } from "./identity-context.ts";
import type { HolderType } from "./identity-documents.ts";
import { IdentityError } from "./identity-error.ts";
import { requireGoodPolicy } from "./policy-document.ts";
import { changePolicies } from "./policy-holders.ts";

const charactersLimits = {
  user: policyCharactersLimits.userInline,
  group: policyCharactersLimits.groupInline,
  role: policyCharactersLimits.roleInline,
} satisfies Record<HolderType, number>;

/**
 * Adds one, or replaces the one of that name.
 * @throws IdentityError NoSuchEntity, MalformedPolicyDocument, LimitExceeded
 */
export async function putInlinePolicy(
  context: IdentityContext,
  type: HolderType,
  target: IdentityTarget,
  policy: { name: string; document: string },
): Promise<void> {
  const limit = charactersLimits[type];
  requireGoodPolicy(policy.document, "identity", limit);
  await context.registry.metadata.transaction((tx) =>
    changePolicies(context, tx, type, target, ({ inlinePolicies, attachedPolicies }) => {
      const changed = { ...inlinePolicies, [policy.name]: policy.document };
      const characters = Object.values(changed)
        .map(policyCharacters)
        .reduce((sum, count) => sum + count, 0);
      if (characters > limit) {
        throw new IdentityError(
          "LimitExceeded",
          `Maximum policy size of ${limit} bytes exceeded for ${type} ${target.name}`,
        );
      }
      return { inlinePolicies: changed, attachedPolicies };
    }),
  );
}

/** @throws IdentityError NoSuchEntity */
export async function deleteInlinePolicy(
  context: IdentityContext,
  type: HolderType,
  target: IdentityTarget,
  name: string,
): Promise<void> {
  await context.registry.metadata.transaction((tx) =>
    changePolicies(context, tx, type, target, ({ inlinePolicies, attachedPolicies }) => {
      if (!Object.hasOwn(inlinePolicies, name)) throw noSuchInlinePolicy(type, name);
      const { [name]: _, ...rest } = inlinePolicies;
      return { inlinePolicies: rest, attachedPolicies };
    }),
  );
}

export function noSuchInlinePolicy(type: HolderType, name: string): IdentityError {
  return new IdentityError("NoSuchEntity", `The ${type} policy with name ${name} cannot be found.`);
}
