/**
 * Whom a statement names.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
 */
import type { Principal } from "../access.ts";
import type { PrincipalElement } from "./policy.ts";

/** Who asks: a principal of an account, a service, or an identity provider for its bearer. */
export type PolicyCaller =
  | Principal
  | { readonly kind: "service"; readonly service: string }
  | { readonly kind: "identity-provider"; readonly federated: string };

/**
 * How far a statement names the caller. `account`: only the caller's account is named, which leaves
 * it to that account's own policies who may; an allow alone is then no grant.
 */
export type Coverage = "none" | "account" | "itself";

export type PrincipalMatcher = (caller: PolicyCaller) => Coverage;

const accountPattern = /^(?:arn:[^:]+:iam::)?(\d{12})(?::root)?$/;

export function compilePrincipal(
  element: PrincipalElement,
  effect: "Allow" | "Deny",
): PrincipalMatcher {
  const accounts = new Set<string>();
  const names = new Set<string>();
  for (const entry of element.aws) {
    const account = accountPattern.exec(entry)?.[1];
    if (account === undefined) names.add(entry);
    else accounts.add(account);
  }
  const services = new Set(element.service);
  const federated = new Set(element.federated);

  const covers: PrincipalMatcher = (caller) => {
    if (element.everyone) return "itself";
    if (caller.kind === "service") return services.has(caller.service) ? "itself" : "none";
    if (caller.kind === "identity-provider") {
      return federated.has(caller.federated) ? "itself" : "none";
    }
    if (caller.service !== undefined && services.has(caller.service)) return "itself";
    if (isNamed(caller, names)) return "itself";
    if (!accounts.has(caller.account)) return "none";
    return caller.kind === "root" ? "itself" : "account";
  };
  if (!element.negated) return covers;
  // AWS asks that a NotPrincipal that spares a user lists the user's account beside it. The account
  // must not spare its other users from a deny, and nobody that is listed gains by an allow.
  const spares = effect === "Deny" ? new Set(["itself"]) : new Set(["itself", "account"]);
  return (caller) => (spares.has(covers(caller)) ? "none" : "itself");
}

function isNamed(caller: Principal, names: ReadonlySet<string>): boolean {
  if (names.size === 0) return false;
  if (names.has(caller.identityArn) || names.has(caller.arn)) return true;
  // A role's unique id stands for its sessions: `AROA…` for `AROA…:session`.
  return names.has(caller.userId) || names.has(caller.userId.split(":", 1)[0] ?? "");
}
