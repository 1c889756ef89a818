/** Changes who may assume a role, for how long, and what it is for. */
import { policyCharactersLimits } from "../policy/policy-types.ts";
import { changeIdentity, type IdentityContext, type IdentityTarget } from "./identity-context.ts";
import { requireGoodPolicy } from "./policy-document.ts";

export interface RoleChange {
  readonly trustPolicy?: string | undefined;
  readonly description?: string | undefined;
  readonly maxSessionSeconds?: number | undefined;
}

/** @throws IdentityError NoSuchEntity, MalformedPolicyDocument, LimitExceeded */
export async function updateRole(
  context: IdentityContext,
  target: IdentityTarget,
  { trustPolicy, description, maxSessionSeconds }: RoleChange,
): Promise<void> {
  if (trustPolicy !== undefined) {
    requireGoodPolicy(trustPolicy, "trust", policyCharactersLimits.trust);
  }
  await context.registry.metadata.transaction((tx) =>
    changeIdentity(context, tx, "role", target, (present) => ({
      ...present,
      ...(trustPolicy !== undefined && { trustPolicy }),
      ...(description !== undefined && { description }),
      ...(maxSessionSeconds !== undefined && { maxSessionSeconds }),
    })),
  );
}
