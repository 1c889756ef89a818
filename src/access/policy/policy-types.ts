/** The types of policies and how they differ: who may be named, what may be left out, how long. */

export interface PolicyRules {
  /** `Principal` or `NotPrincipal`. */
  readonly principal: "required" | "prohibited";
  /** `Resource` or `NotResource`. */
  readonly resource: "required" | "optional" | "prohibited";
  /** Statement ids are letters and digits and differ from each other. */
  readonly strictStatementIds: boolean;
  /** The only service whose actions may be named; absent: any. */
  readonly service?: "ecr" | "sts";
}

const identityRules: PolicyRules = {
  principal: "prohibited",
  resource: "required",
  strictStatementIds: true,
};

export const policyRules = {
  /** Attached to a user, group or role, inline or managed; a permissions boundary too. */
  identity: identityRules,
  session: identityRules,
  /** Who may assume a role. */
  trust: {
    principal: "required",
    resource: "prohibited",
    strictStatementIds: true,
    service: "sts",
  },
  repository: {
    principal: "required",
    resource: "optional",
    strictStatementIds: false,
    service: "ecr",
  },
  registry: {
    principal: "required",
    resource: "required",
    strictStatementIds: false,
    service: "ecr",
  },
  endpoint: { principal: "required", resource: "required", strictStatementIds: false },
} satisfies Record<string, PolicyRules>;

export type PolicyType = keyof typeof policyRules;

/**
 * AWS's limits in characters. IAM does not count white space (`policyCharacters`); ECR does, and
 * the inline policies of a user, group or role count together.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
export const policyCharactersLimits = {
  managed: 6144,
  userInline: 2048,
  groupInline: 5120,
  roleInline: 10_240,
  trust: 2048,
  session: 2048,
  repository: 10_240,
  registry: 10_240,
  /** Of any document in a request to IAM, with white space. */
  document: 131_072,
} as const;

/** How many characters count for IAM's limits. */
export function policyCharacters(document: string): number {
  return document.replace(/[\t\n\r ]/g, "").length;
}
