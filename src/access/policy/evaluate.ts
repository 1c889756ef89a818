/** What policies say to a request, each kind of policy for itself. */
import type { CompiledPolicy, CompiledStatement, PolicyRequest } from "./compile-policy.ts";
import type { Coverage } from "./principals.ts";

export interface StatementOfPolicy {
  readonly policy: CompiledPolicy;
  readonly statement: CompiledStatement;
}

export interface Verdict {
  /** The first statement that denies. */
  readonly deny?: StatementOfPolicy;
  /** A statement that allows; when there is a choice, one that names the caller itself. */
  readonly allow?: StatementOfPolicy;
  /** How far the caller is named where it is allowed; `none` when nothing allows. */
  readonly allowed: Coverage;
}

const silent: Verdict = { allowed: "none" };

/** @returns a verdict with `deny` as soon as one is found */
export function evaluate(policies: readonly CompiledPolicy[], request: PolicyRequest): Verdict {
  let allow: StatementOfPolicy | undefined;
  let allowed: Coverage = "none";
  for (const policy of policies) {
    for (const statement of policy.statementsFor(request.action)) {
      const isDeny = statement.statement.effect === "Deny";
      // What was allowed outright cannot be allowed more.
      if (!isDeny && allowed === "itself") continue;
      const coverage = coverageOf(statement, request);
      if (coverage === "none") continue;
      if (isDeny) return { deny: { policy, statement }, allowed: "none" };
      if (coverage === "itself" || allow === undefined) {
        allow = { policy, statement };
        allowed = coverage;
      }
    }
  }
  return allow === undefined ? silent : { allow, allowed };
}

/** Whether a statement that covers the action takes part, and how far it names the caller. */
export function coverageOf(statement: CompiledStatement, request: PolicyRequest): Coverage {
  if (!statement.coversResource(request)) return "none";
  const coverage = statement.principal(request.caller);
  if (coverage === "none") return "none";
  return statement.conditions.every((holds) => holds(request.values)) ? coverage : "none";
}
