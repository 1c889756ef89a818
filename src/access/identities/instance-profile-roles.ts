/** The role of an instance profile. */
import {
  changeIdentity,
  type IdentityContext,
  type IdentityTarget,
  noSuchIdentity,
} from "./identity-context.ts";
import { documentName } from "./identity-documents.ts";
import { IdentityError } from "./identity-error.ts";

/** @throws IdentityError NoSuchEntity, LimitExceeded */
export async function addRoleToInstanceProfile(
  context: IdentityContext,
  profile: IdentityTarget,
  roleName: string,
): Promise<void> {
  await context.registry.metadata.transaction(async (tx) => {
    // Holds the role, so that it is not deleted meanwhile.
    const target = { ...profile, name: roleName };
    const role = await changeIdentity(context, tx, "role", target, (present) => present);
    await changeIdentity(context, tx, "instance-profile", profile, (present) => {
      if (present.roles.length > 0) {
        throw new IdentityError(
          "LimitExceeded",
          "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1",
        );
      }
      return { ...present, roles: [role.name] };
    });
  });
}

/** @throws IdentityError NoSuchEntity */
export async function removeRoleFromInstanceProfile(
  context: IdentityContext,
  profile: IdentityTarget,
  roleName: string,
): Promise<void> {
  await context.registry.metadata.transaction((tx) =>
    changeIdentity(context, tx, "instance-profile", profile, (present) => {
      const roles = present.roles.filter((name) => documentName(name) !== documentName(roleName));
      if (roles.length === present.roles.length) throw noSuchIdentity("role", roleName);
      return { ...present, roles };
    }),
  );
}
