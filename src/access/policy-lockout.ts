/** The guard against a policy that keeps its own author from ever changing it again. */
import type { Principal } from "./access.ts";
import { compilePolicy } from "./policy/compile-policy.ts";
import { evaluate } from "./policy/evaluate.ts";
import type { Policy } from "./policy/policy.ts";

/** True when the policy denies the action to the principal whatever the circumstances. */
export function locksOut(
  policy: Policy,
  request: { readonly principal: Principal; readonly action: string; readonly resource: string },
): boolean {
  const unconditional = { ...policy, statements: policy.statements.filter(isUnconditional) };
  const compiled = compilePolicy("the new policy", unconditional);
  const { action, resource, principal } = request;
  const asked = { action, resource, caller: principal, values: () => undefined };
  return evaluate([compiled], asked).deny !== undefined;
}

const isUnconditional = ({ conditions }: { conditions: readonly unknown[] }) =>
  conditions.length === 0;
