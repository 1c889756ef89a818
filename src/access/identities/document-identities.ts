/** The identity side of decisions, from the documents that IAM keeps. */
import type { Queryable } from "../../metadata/metadata-store.ts";
import type { AttachedPolicy, IdentityPolicies, IdentitySource } from "../policy-source.ts";
import { identityArn, parseIdentityArn } from "./identity-arn.ts";
import { findIdentity } from "./identity-context.ts";
import type { HolderType, PolicyHolder } from "./identity-documents.ts";
import { findPolicyDocument } from "./policy-document.ts";

export function documentIdentities(db: Queryable): IdentitySource {
  return { identityPolicies: (arn) => identityPolicies(db, arn) };
}

async function identityPolicies(db: Queryable, arn: string): Promise<IdentityPolicies | undefined> {
  const parsed = parseIdentityArn(arn);
  if (parsed?.type !== "user" && parsed?.type !== "role") return undefined;
  const { account, type, name } = parsed;
  const identity =
    type === "user"
      ? await findIdentity(db, "user", account, name)
      : await findIdentity(db, "role", account, name);
  if (identity === undefined || identityArn(account, type, identity) !== arn) return undefined;
  const policies = await policiesOf(db, account, type, identity);
  for (const groupName of "groups" in identity ? identity.groups : []) {
    const group = await findIdentity(db, "group", account, groupName);
    if (group !== undefined) policies.push(...(await policiesOf(db, account, "group", group)));
  }
  const { id, tags, boundary } = identity;
  if (boundary === undefined) return { id, policies, tags };
  // A boundary that cannot be found allows nothing; it must not be as if there were none.
  const document = (await findPolicyDocument(db, account, boundary)) ?? nothing;
  return { id, policies, tags, boundary: { name: boundary, document } };
}

const nothing = JSON.stringify({
  Version: "2012-10-17",
  Statement: { Effect: "Deny", Action: "*", Resource: "*" },
});

async function policiesOf(
  db: Queryable,
  account: string,
  type: HolderType,
  holder: PolicyHolder & { readonly name: string },
): Promise<AttachedPolicy[]> {
  const policies: AttachedPolicy[] = Object.entries(holder.inlinePolicies).map(
    ([name, document]) => ({ name: `inline policy ${name} of ${type} ${holder.name}`, document }),
  );
  for (const arn of holder.attachedPolicies) {
    const document = await findPolicyDocument(db, account, arn);
    if (document !== undefined) policies.push({ name: arn, document });
  }
  return policies;
}
