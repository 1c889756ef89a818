/** Why something is allowed or denied: every statement that was looked at, and what it came to. */
import { type DecisionInput, decide, denialMessage, type PolicyKind } from "./decision.ts";
import type { CompiledPolicy, CompiledStatement } from "./policy/compile-policy.ts";
import type { KeyValues } from "./policy/template.ts";
import type { Collected } from "./policy-collection.ts";

export interface Explanation {
  readonly decision: "allowed" | "denied";
  /** In one sentence; a refusal in the words that the client gets. */
  readonly message: string;
  /** What decided; absent when it is only that nothing allows, and for root. */
  readonly by?: { readonly kind: PolicyKind; readonly policy: string; readonly statement: string };
  readonly policies: readonly ExplainedPolicy[];
}

export interface ExplainedPolicy {
  readonly kind: PolicyKind;
  readonly name: string;
  readonly statements: readonly ExplainedStatement[];
}

export interface ExplainedStatement {
  /** Its Sid, or its place counted from 1. */
  readonly statement: string;
  readonly effect: "Allow" | "Deny";
  /** `account`: it names only the caller's account, whose own policies must allow too. */
  readonly applies: boolean | "account";
  /** Why it does not. */
  readonly because?: string;
  readonly conditions?: readonly ExplainedCondition[];
}

export interface ExplainedCondition {
  readonly operator: string;
  readonly key: string;
  readonly expected: readonly string[];
  /** Null when the request does not have the key. */
  readonly actual: string | readonly string[] | null;
  readonly holds: boolean;
}

export type Explainable = DecisionInput & Pick<Collected, "policies">;

export function explain(input: Explainable): Explanation {
  const { principal, permission, policies } = input;
  const outcome = decide(input);
  const decisive = outcome.allowed ? outcome.allow : outcome.deny;
  const kinds: readonly [PolicyKind, readonly CompiledPolicy[]][] = [
    ["identity", policies.identity ?? []],
    ["boundary", listOf(policies.boundary)],
    ["session", policies.session ?? []],
    ["resource", policies.resource],
    ["trust", listOf(policies.trust)],
    ["endpoint", listOf(policies.endpoint)],
  ];
  return {
    decision: outcome.allowed ? "allowed" : "denied",
    message: outcome.allowed
      ? `${principal.arn} may ${permission.action} on ${permission.resource}${decisive === undefined ? ": it is the root of the account" : ""}`
      : denialMessage(input, outcome),
    ...(decisive !== undefined &&
      outcome.kind !== undefined && {
        by: {
          kind: outcome.kind,
          policy: decisive.policy.name,
          statement: nameOf(decisive.statement),
        },
      }),
    policies: kinds.flatMap(([kind, list]) =>
      list.map((policy) => ({
        kind,
        name: policy.name,
        statements: policy.statements.map((statement) => explainStatement(statement, input)),
      })),
    ),
  };
}

function listOf(policy: CompiledPolicy | undefined): readonly CompiledPolicy[] {
  return policy === undefined ? [] : [policy];
}

function nameOf({ statement: { sid, position } }: CompiledStatement): string {
  return sid === undefined || sid === "" ? String(position + 1) : sid;
}

function explainStatement(compiled: CompiledStatement, input: Explainable): ExplainedStatement {
  const { action, resource } = input.permission;
  const { effect } = compiled.statement;
  const head = { statement: nameOf(compiled), effect };
  const not = (because: string) => ({ ...head, applies: false, because }) as const;
  if (!compiled.coversAction(action)) return not("it is about other actions");
  if (!compiled.resource.covers(resource, input.values)) return not("it is about other resources");
  const coverage = compiled.principal(input.principal);
  if (coverage === "none") return not("it names other principals");
  const conditions = explainConditions(compiled, input.values);
  const holds = conditions.every((condition) => condition.holds);
  return {
    ...head,
    applies: holds && (coverage === "account" && effect === "Allow" ? "account" : true),
    ...(!holds && { because: "a condition does not hold" }),
    ...(conditions.length > 0 && { conditions }),
  };
}

function explainConditions(
  { statement, conditions }: CompiledStatement,
  values: KeyValues,
): ExplainedCondition[] {
  return statement.conditions.map((condition, index) => {
    const quantifier = { any: "ForAnyValue:", all: "ForAllValues:", none: "" };
    return {
      operator: `${quantifier[condition.quantifier ?? "none"]}${condition.operator}${condition.ifExists ? "IfExists" : ""}`,
      key: condition.key,
      expected: condition.values,
      actual: values(condition.key.toLowerCase()) ?? null,
      holds: conditions[index]?.(values) ?? false,
    };
  });
}
