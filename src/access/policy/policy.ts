/**
 * A policy as it was written, after `parse-policy.ts` found it good: AWS's JSON policy language,
 * with single values and lists made the same.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 */
import type { ConditionOperator } from "./condition-operators.ts";

/** Policy variables are there since the second. */
export type PolicyVersion = "2008-10-17" | "2012-10-17";

export interface Policy {
  readonly version: PolicyVersion;
  readonly id?: string;
  readonly statements: readonly Statement[];
}

export interface Statement {
  /** Its place in the policy, from 0. */
  readonly position: number;
  readonly sid?: string;
  readonly effect: "Allow" | "Deny";
  /** Only in policies of resources. */
  readonly principal?: PrincipalElement;
  readonly action: PatternElement;
  /** Absent in a trust policy, and where a repository policy means its own repository. */
  readonly resource?: PatternElement;
  readonly conditions: readonly Condition[];
}

/** `Action` or `NotAction`, `Resource` or `NotResource`. */
export interface PatternElement {
  readonly negated: boolean;
  readonly patterns: readonly string[];
}

/** `Principal` or `NotPrincipal`. */
export interface PrincipalElement {
  readonly negated: boolean;
  /** `"*"` or `{ "AWS": "*" }`. */
  readonly everyone: boolean;
  /** ARNs, account ids, unique ids. */
  readonly aws: readonly string[];
  readonly service: readonly string[];
  readonly federated: readonly string[];
  readonly canonicalUser: readonly string[];
}

export interface Condition {
  readonly operator: ConditionOperator;
  /** How values of the request that are several are joined: `ForAnyValue:`, `ForAllValues:`. */
  readonly quantifier?: "any" | "all";
  readonly ifExists: boolean;
  /** As written; its case does not count. */
  readonly key: string;
  /** One of them must do, or for a negated operator: none may. */
  readonly values: readonly string[];
}
