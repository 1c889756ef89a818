/** Creates an instance profile: the name by which a machine is given its role. */
import { addIdentity, type IdentityContext, type IdentityTarget } from "./identity-context.ts";
import type { InstanceProfile, Tags } from "./identity-documents.ts";
import { uniqueId } from "./unique-id.ts";

/** @throws IdentityError EntityAlreadyExists */
export async function createInstanceProfile(
  context: IdentityContext,
  input: IdentityTarget & { readonly path: string; readonly tags: Tags },
): Promise<InstanceProfile> {
  const { metadata, clock, random } = context.registry;
  return metadata.transaction((tx) =>
    addIdentity(context, tx, "instance-profile", input, {
      name: input.name,
      path: input.path,
      id: uniqueId(random, "AIPA"),
      createdAt: clock.now(),
      tags: input.tags,
      roles: [],
    }),
  );
}
