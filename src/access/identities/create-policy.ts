/** Creates a managed policy of an account, with its first version. */
import { policyCharactersLimits } from "../policy/policy-types.ts";
import { addIdentity, type IdentityContext, type IdentityTarget } from "./identity-context.ts";
import type { CustomerPolicy, Tags } from "./identity-documents.ts";
import { requireGoodPolicy } from "./policy-document.ts";
import { uniqueId } from "./unique-id.ts";

export interface NewPolicy extends IdentityTarget {
  readonly path: string;
  readonly document: string;
  readonly description?: string | undefined;
  readonly tags: Tags;
}

/** @throws IdentityError EntityAlreadyExists, MalformedPolicyDocument, LimitExceeded */
export async function createPolicy(
  context: IdentityContext,
  input: NewPolicy,
): Promise<CustomerPolicy> {
  const { metadata, clock, random } = context.registry;
  const { name, path, document, description, tags } = input;
  requireGoodPolicy(document, "identity", policyCharactersLimits.managed);
  const now = clock.now();
  return metadata.transaction((tx) =>
    addIdentity(context, tx, "policy", input, {
      name,
      path,
      id: uniqueId(random, "ANPA"),
      createdAt: now,
      updatedAt: now,
      ...(description !== undefined && { description }),
      tags,
      defaultVersion: "v1",
      versions: [{ id: "v1", document, createdAt: now }],
      lastVersionNumber: 1,
    }),
  );
}
