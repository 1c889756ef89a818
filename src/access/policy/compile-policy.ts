/** A policy made ready to decide: patterns and conditions as functions, found by action. */
import { arnGlob } from "./arn-pattern.ts";
import { type CompiledCondition, compileCondition } from "./conditions.ts";
import { glob, type TextMatcher } from "./glob.ts";
import type { PatternElement, Policy, Statement } from "./policy.ts";
import { compilePrincipal, type PolicyCaller, type PrincipalMatcher } from "./principals.ts";
import { type KeyValues, parseTemplate, resolveTokens } from "./template.ts";

/** What a policy is asked. */
export interface PolicyRequest {
  readonly action: string;
  /** An ARN, or `*` for an action without a resource: then only the pattern `*` covers it. */
  readonly resource: string;
  readonly caller: PolicyCaller;
  /** The condition keys of the request, by their names in lower case. */
  readonly values: KeyValues;
}

export interface ResourceMatcher {
  /** Whether the answer depends on the values of keys. */
  readonly hasVariables: boolean;
  covers(resource: string, values: KeyValues): boolean;
}

export interface CompiledStatement {
  readonly statement: Statement;
  coversAction(action: string): boolean;
  readonly resource: ResourceMatcher;
  /** `itself` when the statement names no principals. */
  readonly principal: PrincipalMatcher;
  /** In the order of `statement.conditions`; all of them must hold. */
  readonly conditions: readonly CompiledCondition[];
}

export interface CompiledPolicy {
  /** For people: an ARN, or which inline policy of whom. */
  readonly name: string;
  readonly policy: Policy;
  readonly statements: readonly CompiledStatement[];
  /** Those that cover an action. */
  statementsFor(action: string): readonly CompiledStatement[];
}

/** Actions are constants of this program; only `portolan access explain` takes others. */
const rememberedActionsLimit = 1000;

export function compilePolicy(name: string, policy: Policy): CompiledPolicy {
  const variables = policy.version === "2012-10-17";
  const statements = policy.statements.map((statement) => compileStatement(statement, variables));
  const remembered = new Map<string, readonly CompiledStatement[]>();
  return {
    name,
    policy,
    statements,
    statementsFor(action) {
      let found = remembered.get(action);
      if (found === undefined) {
        found = statements.filter((statement) => statement.coversAction(action));
        if (remembered.size < rememberedActionsLimit) remembered.set(action, found);
      }
      return found;
    },
  };
}

function compileStatement(statement: Statement, variables: boolean): CompiledStatement {
  const { action, principal, resource, effect } = statement;
  // Actions are alike whatever their case.
  const actions = action.patterns.map((pattern) => glob(pattern.toLowerCase()));
  return {
    statement,
    coversAction(name) {
      const lowerCase = name.toLowerCase();
      return actions.some((matches) => matches(lowerCase)) !== action.negated;
    },
    resource: resource === undefined ? everything : compileResource(resource, effect, variables),
    principal: principal === undefined ? () => "itself" : compilePrincipal(principal, effect),
    conditions: statement.conditions.map((condition) => compileCondition(condition, variables)),
  };
}

const everything: ResourceMatcher = { hasVariables: false, covers: () => true };

function compileResource(
  { negated, patterns }: PatternElement,
  effect: Statement["effect"],
  variables: boolean,
): ResourceMatcher {
  const templates = patterns.map((pattern) => parseTemplate(pattern, variables));
  const constant: TextMatcher[] = [];
  const variable = templates.filter((template) => {
    const tokens = template.constant ? resolveTokens(template, () => undefined) : undefined;
    if (tokens !== undefined) constant.push(arnGlob(tokens));
    return !template.constant;
  });
  function covers(resource: string, values: KeyValues): boolean {
    let unknown = false;
    let matches = constant.some((like) => like(resource));
    for (const template of matches ? [] : variable) {
      const tokens = resolveTokens(template, values);
      unknown ||= tokens === undefined;
      matches ||= tokens !== undefined && arnGlob(tokens)(resource);
    }
    // Nobody knows what an exception with a variable that has no value spares: it must neither
    // widen an allow nor narrow a deny.
    if (negated && unknown && !matches) return effect === "Deny";
    return matches !== negated;
  }
  return { hasVariables: variable.length > 0, covers };
}
