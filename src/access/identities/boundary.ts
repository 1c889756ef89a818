/** Permissions boundaries: the managed policy that a user or a role may at most do. */
import type { Queryable } from "../../metadata/metadata-store.ts";
import { changeIdentity, type IdentityContext, type IdentityTarget } from "./identity-context.ts";
import type { Tags } from "./identity-documents.ts";
import { requirePolicyDocument } from "./policy-document.ts";

/** @throws IdentityError NoSuchEntity */
export async function requireBoundary(db: Queryable, account: string, arn: string): Promise<void> {
  await requirePolicyDocument(db, account, arn);
}

/**
 * @param boundary absent: takes it away
 * @throws IdentityError NoSuchEntity
 */
export async function setBoundary(
  context: IdentityContext,
  type: "user" | "role",
  target: IdentityTarget,
  boundary: string | undefined,
): Promise<void> {
  await context.registry.metadata.transaction(async (tx) => {
    if (boundary !== undefined) await requireBoundary(tx, target.account, boundary);
    if (type === "user") {
      await changeIdentity(context, tx, "user", target, (user) => bounded(user, boundary));
    } else {
      await changeIdentity(context, tx, "role", target, (role) => bounded(role, boundary));
    }
  });
}

function bounded<Value extends { boundary?: string; tags: Tags }>(
  value: Value,
  boundary: string | undefined,
): Value {
  const { boundary: _, ...rest } = value;
  return { ...rest, ...(boundary !== undefined && { boundary }) } as Value;
}
