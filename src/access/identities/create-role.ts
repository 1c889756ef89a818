/** Creates a role: an identity without keys, that those whom its trust policy names may assume. */
import { policyCharactersLimits } from "../policy/policy-types.ts";
import { requireBoundary } from "./boundary.ts";
import { addIdentity, type IdentityContext, type IdentityTarget } from "./identity-context.ts";
import type { Role, Tags } from "./identity-documents.ts";
import { requireGoodPolicy } from "./policy-document.ts";
import { uniqueId } from "./unique-id.ts";

export interface NewRole extends IdentityTarget {
  readonly path: string;
  readonly trustPolicy: string;
  readonly description?: string | undefined;
  readonly maxSessionSeconds: number;
  /** ARN of a managed policy. */
  readonly boundary?: string | undefined;
  readonly tags: Tags;
}

/** @throws IdentityError EntityAlreadyExists, MalformedPolicyDocument, NoSuchEntity of the boundary */
export async function createRole(context: IdentityContext, input: NewRole): Promise<Role> {
  const { metadata, clock, random } = context.registry;
  const { boundary, description } = input;
  requireGoodPolicy(input.trustPolicy, "trust", policyCharactersLimits.trust);
  return metadata.transaction(async (tx) => {
    if (boundary !== undefined) await requireBoundary(tx, input.account, boundary);
    return addIdentity(context, tx, "role", input, {
      name: input.name,
      path: input.path,
      id: uniqueId(random, "AROA"),
      createdAt: clock.now(),
      trustPolicy: input.trustPolicy,
      maxSessionSeconds: input.maxSessionSeconds,
      ...(description !== undefined && { description }),
      ...(boundary !== undefined && { boundary }),
      tags: input.tags,
      inlinePolicies: {},
      attachedPolicies: [],
    });
  });
}
