/** Versions of a managed policy: five at most, one of which counts. */
import { policyCharactersLimits } from "../policy/policy-types.ts";
import { changeIdentity, type IdentityContext, type IdentityTarget } from "./identity-context.ts";
import type { PolicyVersion } from "./identity-documents.ts";
import { IdentityError } from "./identity-error.ts";
import { requireGoodPolicy } from "./policy-document.ts";

const versionsLimit = 5;

/** @throws IdentityError NoSuchEntity, MalformedPolicyDocument, LimitExceeded */
export async function createPolicyVersion(
  context: IdentityContext,
  target: IdentityTarget,
  input: { readonly document: string; readonly setAsDefault: boolean },
): Promise<PolicyVersion> {
  const { document, setAsDefault } = input;
  requireGoodPolicy(document, "identity", policyCharactersLimits.managed);
  const { metadata, clock } = context.registry;
  return metadata.transaction(async (tx) => {
    const now = clock.now();
    const changed = await changeIdentity(context, tx, "policy", target, (present) => {
      if (present.versions.length >= versionsLimit) {
        throw new IdentityError(
          "LimitExceeded",
          `A managed policy can have up to ${versionsLimit} versions. Before you create a new version, you must delete an existing version.`,
        );
      }
      const number = present.lastVersionNumber + 1;
      const id = `v${number}`;
      return {
        ...present,
        updatedAt: now,
        lastVersionNumber: number,
        versions: [...present.versions, { id, document, createdAt: now }],
        ...(setAsDefault && { defaultVersion: id }),
      };
    });
    return { id: `v${changed.lastVersionNumber}`, document, createdAt: now };
  });
}

/** @throws IdentityError NoSuchEntity, DeleteConflict */
export async function deletePolicyVersion(
  context: IdentityContext,
  target: IdentityTarget,
  id: string,
): Promise<void> {
  await context.registry.metadata.transaction((tx) =>
    changeIdentity(context, tx, "policy", target, (present) => {
      if (!present.versions.some((version) => version.id === id)) {
        throw noSuchVersion(present.name, id);
      }
      if (present.defaultVersion === id) {
        throw new IdentityError("DeleteConflict", "Cannot delete the default version of a policy.");
      }
      return { ...present, versions: present.versions.filter((version) => version.id !== id) };
    }),
  );
}

/** @throws IdentityError NoSuchEntity */
export async function setDefaultPolicyVersion(
  context: IdentityContext,
  target: IdentityTarget,
  id: string,
): Promise<void> {
  await context.registry.metadata.transaction((tx) =>
    changeIdentity(context, tx, "policy", target, (present) => {
      if (!present.versions.some((version) => version.id === id)) {
        throw noSuchVersion(present.name, id);
      }
      return { ...present, defaultVersion: id, updatedAt: context.registry.clock.now() };
    }),
  );
}

export function noSuchVersion(policy: string, id: string): IdentityError {
  return new IdentityError(
    "NoSuchEntity",
    `Policy ${policy} version ${id} does not exist or is not attachable.`,
  );
}
