/** Documents of policies: whether one may be stored, and the one behind an ARN. */
import type { Queryable } from "../../metadata/metadata-store.ts";
import { managedPolicies } from "../managed-policies.ts";
import { PolicyError, parsePolicy } from "../policy/parse-policy.ts";
import type { PolicyType } from "../policy/policy-types.ts";
import { policyCharacters } from "../policy/policy-types.ts";
import { parseIdentityArn } from "./identity-arn.ts";
import { findIdentity } from "./identity-context.ts";
import type { CustomerPolicy } from "./identity-documents.ts";
import { IdentityError } from "./identity-error.ts";

/** @throws IdentityError MalformedPolicyDocument, LimitExceeded */
export function requireGoodPolicy(
  document: string,
  type: PolicyType,
  charactersLimit: number,
): void {
  try {
    parsePolicy(document, type);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    throw new IdentityError("MalformedPolicyDocument", error.message, { cause: error });
  }
  if (policyCharacters(document) > charactersLimit) {
    throw new IdentityError(
      "LimitExceeded",
      `Cannot exceed quota for PolicySize: ${charactersLimit}`,
    );
  }
}

/**
 * The default version of a managed policy: AWS's own or the account's.
 * @throws IdentityError NoSuchEntity
 */
export async function requirePolicyDocument(
  db: Queryable,
  account: string,
  arn: string,
): Promise<string> {
  const document = await findPolicyDocument(db, account, arn);
  if (document === undefined) {
    throw new IdentityError("NoSuchEntity", `Policy ${arn} does not exist or is not attachable.`);
  }
  return document;
}

export async function findPolicyDocument(
  db: Queryable,
  account: string,
  arn: string,
): Promise<string | undefined> {
  const managed = managedPolicies.get(arn);
  if (managed !== undefined) return managed.document;
  const policy = await findCustomerPolicy(db, account, arn);
  return policy?.versions.find(({ id }) => id === policy.defaultVersion)?.document;
}

/** Only of the account itself: policies of others cannot be used. */
export async function findCustomerPolicy(
  db: Queryable,
  account: string,
  arn: string,
): Promise<CustomerPolicy | undefined> {
  const parsed = parseIdentityArn(arn);
  if (parsed?.type !== "policy" || parsed.account !== account) return undefined;
  const policy = await findIdentity(db, "policy", account, parsed.name);
  return policy?.path === parsed.path && policy.name === parsed.name ? policy : undefined;
}

/** `/` or `/service-role/`, with the slash at its end. */
export function pathOfPolicy(arn: string): string {
  return /:policy(\/(?:.*\/)?)[^/]*$/.exec(arn)?.[1] ?? "/";
}
