/** The roles of instance profiles, for answers. */
import { findIdentity } from "../../access/identities/identity-context.ts";
import type { InstanceProfile, Role } from "../../access/identities/identity-documents.ts";
import { type IamCall, read } from "./operation.ts";

export async function rolesOfProfile(call: IamCall, { roles }: InstanceProfile): Promise<Role[]> {
  const { account } = call.principal;
  const found = roles.map((name) => findIdentity(read(call), "role", account, name));
  return (await Promise.all(found)).flatMap((role) => role ?? []);
}
