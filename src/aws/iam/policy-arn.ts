/** Managed policies as operations name them: by ARN. */
import type { Permission } from "../../access/access.ts";
import { parseIdentityArn } from "../../access/identities/identity-arn.ts";
import type { IdentityTarget } from "../../access/identities/identity-context.ts";
import type { CustomerPolicy } from "../../access/identities/identity-documents.ts";
import { IdentityError } from "../../access/identities/identity-error.ts";
import { findCustomerPolicy } from "../../access/identities/policy-document.ts";
import { managedPolicies } from "../../access/managed-policies.ts";
import { type IamCall, permissionOn, read, target } from "./operation.ts";

export async function permissionOnPolicy(
  call: IamCall,
  action: string,
  policyArn: string,
): Promise<Permission> {
  const parsed = parseIdentityArn(policyArn);
  const { account } = call.principal;
  if (parsed?.type !== "policy" || parsed.account !== account) {
    // AWS's policies are nobody's; those of another account look as if they did not exist.
    return { action, resource: policyArn, account };
  }
  const { conditions } = await permissionOn(call, action, "policy", parsed.name);
  return { action, resource: policyArn, ...(conditions !== undefined && { conditions }) };
}

/** @throws IdentityError NoSuchEntity */
export async function requireOwnPolicy(call: IamCall, policyArn: string): Promise<CustomerPolicy> {
  const policy = await findCustomerPolicy(read(call), call.principal.account, policyArn);
  if (policy === undefined) throw noSuchPolicy(policyArn);
  return policy;
}

/** @throws IdentityError NoSuchEntity; AccessDenied for one of AWS's, which nobody may change */
export async function ownPolicyTarget(call: IamCall, policyArn: string): Promise<IdentityTarget> {
  if (managedPolicies.has(policyArn)) {
    throw new IdentityError("AccessDenied", `Policy ${policyArn} is managed by AWS.`);
  }
  const { name } = await requireOwnPolicy(call, policyArn);
  return target(call, name);
}

function noSuchPolicy(policyArn: string): IdentityError {
  return new IdentityError("NoSuchEntity", `Policy ${policyArn} was not found.`);
}
