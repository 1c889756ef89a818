/** The principal that an ARN names, as if it had authenticated just now: for explanations. */
import type { Queryable } from "../../metadata/metadata-store.ts";
import type { Principal } from "../access.ts";
import { rootPrincipal } from "../credentials.ts";
import { assumedRoleArn, identityArn, parseIdentityArn } from "./identity-arn.ts";
import { findIdentity } from "./identity-context.ts";

const rootPattern = /^(?:arn:aws:iam::)?(\d{12})(?::root)?$/;
const sessionPattern =
  /^arn:aws:sts::(\d{12}):assumed-role\/([\w+=,.@-]{1,64})\/([\w+=,.@-]{2,64})$/;

/** Of a session that is only thought of. */
const sessionName = "explained";

/**
 * @param arn of an account's root (or the account's id), of a user, of a role, or of a role's session
 * @returns undefined when there is no such user or role
 */
export async function namedPrincipal(
  db: Queryable,
  arn: string,
  now: number,
): Promise<Principal | undefined> {
  const root = rootPattern.exec(arn)?.[1];
  if (root !== undefined) return rootPrincipal(root);
  const session = sessionPattern.exec(arn);
  if (session !== null) {
    const [, account = "", role = "", name = ""] = session;
    return sessionOf(db, account, role, name, now);
  }
  const parsed = parseIdentityArn(arn);
  if (parsed === undefined) return undefined;
  const { account, type, name } = parsed;
  if (type === "role") return sessionOf(db, account, name, sessionName, now);
  if (type !== "user") return undefined;
  const user = await findIdentity(db, "user", account, name);
  if (user === undefined) return undefined;
  const own = identityArn(account, "user", user);
  return {
    kind: "user",
    arn: own,
    account,
    identityArn: own,
    userId: user.id,
    userName: user.name,
  };
}

async function sessionOf(
  db: Queryable,
  account: string,
  roleName: string,
  name: string,
  now: number,
): Promise<Principal | undefined> {
  const role = await findIdentity(db, "role", account, roleName);
  if (role === undefined) return undefined;
  return {
    kind: "assumed-role",
    arn: assumedRoleArn(account, role.name, name),
    account,
    identityArn: identityArn(account, "role", role),
    userId: `${role.id}:${name}`,
    session: { issuedAt: now, policies: [], tags: {} },
  };
}
