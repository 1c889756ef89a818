/** Who is in a group. It is kept with the user, because that is where decisions look. */
import type { Queryable } from "../../metadata/metadata-store.ts";
import {
  changeIdentity,
  type IdentityContext,
  type IdentityTarget,
  listIdentities,
  requireIdentity,
} from "./identity-context.ts";
import { documentName, type User } from "./identity-documents.ts";
import { IdentityError } from "./identity-error.ts";

const groupsPerUserLimit = 10;

export async function listMembers(
  db: Queryable,
  account: string,
  groupName: string,
): Promise<User[]> {
  const users = await listIdentities(db, "user", account);
  return users.filter(({ groups }) => isIn(groups, groupName));
}

/** @throws IdentityError NoSuchEntity, LimitExceeded */
export async function addUserToGroup(
  context: IdentityContext,
  user: IdentityTarget,
  groupName: string,
): Promise<void> {
  await context.registry.metadata.transaction(async (tx) => {
    // Holds the group, so that it is not deleted meanwhile.
    const target = { ...user, name: groupName };
    const group = await changeIdentity(context, tx, "group", target, (present) => present);
    await changeIdentity(context, tx, "user", user, (present) => {
      if (isIn(present.groups, group.name)) return present;
      if (present.groups.length >= groupsPerUserLimit) {
        throw new IdentityError(
          "LimitExceeded",
          `Cannot exceed quota for GroupsPerUser: ${groupsPerUserLimit}`,
        );
      }
      return { ...present, groups: [...present.groups, group.name] };
    });
  });
}

/** @throws IdentityError NoSuchEntity */
export async function removeUserFromGroup(
  context: IdentityContext,
  user: IdentityTarget,
  groupName: string,
): Promise<void> {
  await context.registry.metadata.transaction(async (tx) => {
    await requireIdentity(tx, "group", user.account, groupName);
    const removed = documentName(groupName);
    await changeIdentity(context, tx, "user", user, (present) => {
      if (!isIn(present.groups, groupName)) {
        throw new IdentityError(
          "NoSuchEntity",
          `User ${present.name} is not in the group ${groupName}.`,
        );
      }
      return {
        ...present,
        groups: present.groups.filter((name) => documentName(name) !== removed),
      };
    });
  });
}

function isIn(groups: readonly string[], name: string): boolean {
  return groups.some((group) => documentName(group) === documentName(name));
}
