/**
 * The decision: what the policies of all kinds together say to one request. Pure; the policies and
 * the values of the condition keys are given.
 *
 * - An explicit deny anywhere wins.
 * - Within an account, the identity's policies or the policy of the resource must allow.
 * - Across accounts, both must: the identity's policies in the caller's account, and the policy of
 *   the resource in its account. A resource's policy that names an account leaves it to that
 *   account's identity policies who may: within one account it grants nothing by itself.
 * - Permissions boundary, session policies and endpoint policy must allow too, where there are any.
 * - Whether the thing exists plays no part.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
import type { Permission, Principal } from "./access.ts";
import { identityPolicyOnlyActions } from "./ecr-actions.ts";
import type { CompiledPolicy } from "./policy/compile-policy.ts";
import {
  type ApplicableStatement,
  applicableStatements,
  type StatementOfPolicy,
  silent,
  type Verdict,
  verdictOf,
} from "./policy/evaluate.ts";
import type { KeyValues } from "./policy/template.ts";

export interface DecisionPolicies {
  /** Of the caller; undefined for the root of an account, which needs none. */
  readonly identity: readonly CompiledPolicy[] | undefined;
  readonly boundary?: CompiledPolicy | undefined;
  /** Session policies; undefined when the session has none. */
  readonly session?: readonly CompiledPolicy[] | undefined;
  /** Repository policy and registry policy, as far as they are there and count for the action. */
  readonly resource: readonly CompiledPolicy[];
  /** The trust policy of the role to assume: no other policy can stand in for it. */
  readonly trust?: CompiledPolicy | undefined;
  readonly endpoint?: CompiledPolicy | undefined;
}

/** The statements of each kind of policy that are about a call; undefined: no such policies. */
export type DecisionStatements = {
  readonly [Kind in PolicyKind]: readonly ApplicableStatement[] | undefined;
};

export function decisionStatements(
  policies: DecisionPolicies,
  principal: Principal,
  { action, resource }: Permission,
): DecisionStatements {
  const target = { action, resource, caller: principal };
  const one = (policy: CompiledPolicy | undefined) =>
    policy && applicableStatements([policy], target);
  return {
    identity: policies.identity && applicableStatements(policies.identity, target),
    boundary: one(policies.boundary),
    session: policies.session && applicableStatements(policies.session, target),
    resource: applicableStatements(policies.resource, target),
    trust: one(policies.trust),
    endpoint: one(policies.endpoint),
  };
}

export interface DecisionInput {
  readonly principal: Principal;
  readonly permission: Permission;
  readonly statements: DecisionStatements;
  /** Whose resource it is. */
  readonly resourceAccount: string;
  readonly values: KeyValues;
}

/** The kinds of policies, as denials name them. */
export const policyKindNames = {
  identity: {
    name: "identity-based policy",
    deny: "with an explicit deny in an identity-based policy",
  },
  resource: {
    name: "resource-based policy",
    deny: "with an explicit deny in a resource-based policy",
  },
  trust: { name: "role trust policy", deny: "with an explicit deny in the role trust policy" },
  boundary: {
    name: "permissions boundary",
    deny: "with an explicit deny in a permissions boundary",
  },
  session: { name: "session policy", deny: "with an explicit deny in a session policy" },
  endpoint: {
    name: "VPC endpoint policy",
    deny: "with an explicit deny in a VPC endpoint policy",
  },
} as const;

export type PolicyKind = keyof typeof policyKindNames;

export type Outcome =
  | {
      readonly allowed: true;
      /** What allows; none for the root of the account. */
      readonly allow?: StatementOfPolicy | undefined;
      /** Undefined when the caller is root. */
      readonly kind?: PolicyKind | undefined;
    }
  | {
      readonly allowed: false;
      readonly kind: PolicyKind;
      /** The statement that denies; absent when it is only that nothing allows. */
      readonly deny?: StatementOfPolicy | undefined;
    };

/**
 * The root of an account may always take away a policy of its own resource: else a policy that
 * denies everybody everything could never be undone. Amazon S3 has the same exception.
 */
const rescueActions = new Set(["ecr:DeleteRepositoryPolicy", "ecr:DeleteRegistryPolicy"]);

export function decide(input: DecisionInput): Outcome {
  const { principal, statements, resourceAccount, values } = input;
  const { action, resource } = input.permission;
  const verdictOn = (kind: PolicyKind): Verdict => {
    const applicable = statements[kind];
    if (applicable === undefined || applicable.length === 0) return silent;
    return verdictOf(applicable, resource, values);
  };
  const verdicts = {
    identity: verdictOn("identity"),
    boundary: verdictOn("boundary"),
    session: verdictOn("session"),
    resource: verdictOn("resource"),
    trust: verdictOn("trust"),
    endpoint: verdictOn("endpoint"),
  };
  const isRoot = principal.kind === "root";
  const isOwn = principal.account === resourceAccount;
  if (!(isRoot && isOwn && rescueActions.has(action))) {
    for (const kind of kindsInOrder) {
      const { deny } = verdicts[kind];
      if (deny !== undefined) return { allowed: false, kind, deny };
    }
  }

  const hasTrust = statements.trust !== undefined;
  const resourceKind = hasTrust ? "trust" : "resource";
  const byResource = identityPolicyOnlyActions.has(action) ? silent : verdicts[resourceKind];
  const isIdentityAllowed = isRoot || verdicts.identity.allowed !== "none";
  const isResourceAllowed = byResource.allowed !== "none";
  if (!isResourceAllowed && (!isOwn || hasTrust)) {
    return { allowed: false, kind: resourceKind };
  }
  if (!isIdentityAllowed && !(isOwn && byResource.allowed === "itself")) {
    return { allowed: false, kind: "identity" };
  }
  for (const kind of limitingKinds) {
    if (statements[kind] !== undefined && verdicts[kind].allowed === "none") {
      return { allowed: false, kind };
    }
  }
  if (verdicts.identity.allow !== undefined) {
    return { allowed: true, kind: "identity", allow: verdicts.identity.allow };
  }
  return isRoot && !isResourceAllowed
    ? { allowed: true }
    : { allowed: true, kind: resourceKind, allow: byResource.allow };
}

const kindsInOrder = ["identity", "boundary", "session", "resource", "trust", "endpoint"] as const;
/** They grant nothing and must all allow. */
const limitingKinds = ["boundary", "session", "endpoint"] as const;

/** AWS's words for a refusal. */
export function denialMessage(
  { principal, permission: { action, resource } }: Pick<DecisionInput, "principal" | "permission">,
  { kind, deny }: Extract<Outcome, { allowed: false }>,
): string {
  const names = policyKindNames[kind];
  const refusal = `User: ${principal.arn} is not authorized to perform: ${action} on resource: ${resource}`;
  return deny === undefined
    ? `${refusal} because no ${names.name} allows the ${action} action`
    : `${refusal} ${names.deny}`;
}
