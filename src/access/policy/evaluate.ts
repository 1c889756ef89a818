/**
 * What policies say to a request, each kind of policy for itself. In two steps, because the first
 * comes out the same for every request of a principal for an action on a resource: which statements
 * are about it, and then which of them hold.
 */
import type { CompiledPolicy, CompiledStatement, PolicyRequest } from "./compile-policy.ts";
import type { Coverage, PolicyCaller } from "./principals.ts";
import type { KeyValues } from "./template.ts";

export interface StatementOfPolicy {
  readonly policy: CompiledPolicy;
  readonly statement: CompiledStatement;
}

/** A statement that is about the request, if its conditions hold. */
export interface ApplicableStatement extends StatementOfPolicy {
  readonly isDeny: boolean;
  readonly coverage: Exclude<Coverage, "none">;
}

export interface Verdict {
  /** The first statement that denies. */
  readonly deny?: StatementOfPolicy;
  /** A statement that allows; when there is a choice, one that names the caller itself. */
  readonly allow?: StatementOfPolicy;
  /** How far the caller is named where it is allowed; `none` when nothing allows. */
  readonly allowed: Coverage;
}

export const silent: Verdict = { allowed: "none" };

export interface PolicyTarget {
  readonly action: string;
  /** An ARN, or `*` for an action without a resource: then only the pattern `*` covers it. */
  readonly resource: string;
  readonly caller: PolicyCaller;
}

/** Those that deny come first, then those that allow outright. */
export function applicableStatements(
  policies: readonly CompiledPolicy[],
  target: PolicyTarget,
): readonly ApplicableStatement[] {
  const found: ApplicableStatement[] = [];
  for (const policy of policies) {
    for (const statement of policy.statementsFor(target.action)) {
      const { resource } = statement;
      if (!resource.hasVariables && !resource.covers(target.resource, noValues)) continue;
      const coverage = statement.principal(target.caller);
      if (coverage === "none") continue;
      const isDeny = statement.statement.effect === "Deny";
      found.push({ policy, statement, isDeny, coverage });
    }
  }
  return found.sort((a, b) => rank(a) - rank(b));
}

const noValues: KeyValues = () => undefined;

function rank({ isDeny, coverage, statement }: ApplicableStatement): number {
  if (isDeny) return 0;
  if (coverage === "account") return 3;
  return statement.conditions.length > 0 || statement.resource.hasVariables ? 2 : 1;
}

/** @param statements in the order of `applicableStatements` */
export function verdictOf(
  statements: readonly ApplicableStatement[],
  resource: string,
  values: KeyValues,
): Verdict {
  for (const applicable of statements) {
    const { statement, coverage } = applicable;
    if (statement.resource.hasVariables && !statement.resource.covers(resource, values)) continue;
    if (!conditionsHold(statement, values)) continue;
    return applicable.isDeny
      ? { deny: applicable, allowed: "none" }
      : { allow: applicable, allowed: coverage };
  }
  return silent;
}

function conditionsHold({ conditions }: CompiledStatement, values: KeyValues): boolean {
  for (const holds of conditions) if (!holds(values)) return false;
  return true;
}

/** Both steps. */
export function evaluate(policies: readonly CompiledPolicy[], request: PolicyRequest): Verdict {
  return verdictOf(applicableStatements(policies, request), request.resource, request.values);
}
