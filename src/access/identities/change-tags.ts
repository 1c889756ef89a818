/** Sets and removes tags of a user, a role, a managed policy or an instance profile. */
import { changeIdentity, type IdentityContext, type IdentityTarget } from "./identity-context.ts";
import type { Tags } from "./identity-documents.ts";
import { IdentityError } from "./identity-error.ts";

export type TaggedType = "user" | "role" | "policy" | "instance-profile";

export interface TagChange {
  readonly set: Tags;
  readonly remove: readonly string[];
}

const tagsLimit = 50;

/** @throws IdentityError NoSuchEntity, LimitExceeded */
export async function changeTags(
  context: IdentityContext,
  type: TaggedType,
  target: IdentityTarget,
  change: TagChange,
): Promise<void> {
  await context.registry.metadata.transaction(async (tx) => {
    switch (type) {
      case "user":
        await changeIdentity(context, tx, "user", target, (value) => tagged(value, change));
        break;
      case "role":
        await changeIdentity(context, tx, "role", target, (value) => tagged(value, change));
        break;
      case "policy":
        await changeIdentity(context, tx, "policy", target, (value) => tagged(value, change));
        break;
      case "instance-profile":
        await changeIdentity(context, tx, type, target, (value) => tagged(value, change));
        break;
    }
  });
}

function tagged<Value extends { readonly tags: Tags }>(value: Value, change: TagChange): Value {
  const all = Object.entries({ ...value.tags, ...change.set });
  const kept = all.filter(([key]) => !change.remove.includes(key));
  if (kept.length > tagsLimit) {
    throw new IdentityError(
      "LimitExceeded",
      `Cannot exceed quota for TagsPerResource: ${tagsLimit}`,
    );
  }
  return { ...value, tags: Object.fromEntries(kept) };
}
