/** Creates a group of users, with nobody in it. */
import { addIdentity, type IdentityContext, type IdentityTarget } from "./identity-context.ts";
import type { Group } from "./identity-documents.ts";
import { uniqueId } from "./unique-id.ts";

/** @throws IdentityError EntityAlreadyExists */
export async function createGroup(
  context: IdentityContext,
  input: IdentityTarget & { readonly path: string },
): Promise<Group> {
  const { metadata, clock, random } = context.registry;
  return metadata.transaction((tx) =>
    addIdentity(context, tx, "group", input, {
      name: input.name,
      path: input.path,
      id: uniqueId(random, "AGPA"),
      createdAt: clock.now(),
      inlinePolicies: {},
      attachedPolicies: [],
    }),
  );
}
