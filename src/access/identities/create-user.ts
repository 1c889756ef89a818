/** Creates a user, with no rights and no keys. */
import { requireBoundary } from "./boundary.ts";
import { addIdentity, type IdentityContext, type IdentityTarget } from "./identity-context.ts";
import type { Tags, User } from "./identity-documents.ts";
import { uniqueId } from "./unique-id.ts";

export interface NewUser extends IdentityTarget {
  readonly path: string;
  readonly tags: Tags;
  /** ARN of a managed policy. */
  readonly boundary?: string | undefined;
}

/** @throws IdentityError EntityAlreadyExists, NoSuchEntity of the boundary */
export async function createUser(context: IdentityContext, input: NewUser): Promise<User> {
  const { metadata, clock, random } = context.registry;
  const { boundary } = input;
  return metadata.transaction(async (tx) => {
    if (boundary !== undefined) await requireBoundary(tx, input.account, boundary);
    return addIdentity(context, tx, "user", input, {
      name: input.name,
      path: input.path,
      id: uniqueId(random, "AIDA"),
      createdAt: clock.now(),
      tags: input.tags,
      ...(boundary !== undefined && { boundary }),
      inlinePolicies: {},
      attachedPolicies: [],
      groups: [],
    });
  });
}
