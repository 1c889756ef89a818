/**
 * A condition of a statement, compiled: what several values on either side, an absent key,
 * negation, `IfExists` and the set operators mean.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
 */
import { isTextOperator, textOperators, valueOperators } from "./condition-operators.ts";
import type { TextMatcher } from "./glob.ts";
import type { Condition } from "./policy.ts";
import { type KeyValues, parseTemplate, resolveText, resolveTokens } from "./template.ts";

export type CompiledCondition = (values: KeyValues) => boolean;

/** Whether a value of the request is like one of the policy's values. */
type Comparison = (value: string, values: KeyValues) => boolean;

export function compileCondition(condition: Condition, variables: boolean): CompiledCondition {
  const { operator, quantifier, ifExists } = condition;
  const key = condition.key.toLowerCase();
  if (operator === "Null") return compileNull(key, condition.values);
  const comparisons = isTextOperator(operator)
    ? condition.values.map((value) => textComparison(operator, value, variables))
    : condition.values.map((value) => valueComparison(operator, value));
  const { negated } = isTextOperator(operator) ? textOperators[operator] : valueOperators[operator];
  const isLike: Comparison = (value, values) => comparisons.some((like) => like(value, values));
  const whenAbsent = ifExists || quantifier === "all" || (quantifier === undefined && negated);

  return (values) => {
    const found = values(key);
    if (found === undefined || found.length === 0) {
      // An empty text is a value; an empty list is none.
      return typeof found === "string" ? isLike(found, values) !== negated : whenAbsent;
    }
    if (typeof found === "string") return isLike(found, values) !== negated;
    if (quantifier === "all") return found.every((value) => isLike(value, values) !== negated);
    if (quantifier === "any") return found.some((value) => isLike(value, values) !== negated);
    // Without a set operator a negated one is the opposite of the plain one.
    return found.some((value) => isLike(value, values)) !== negated;
  };
}

function compileNull(key: string, expected: readonly string[]): CompiledCondition {
  const accepted = new Set(expected.map((value) => value.toLowerCase() === "true"));
  return (values) => {
    const found = values(key);
    return accepted.has(found === undefined || (typeof found !== "string" && found.length === 0));
  };
}

function textComparison(
  operator: keyof typeof textOperators,
  policyValue: string,
  variables: boolean,
): Comparison {
  const { matcher, wildcards } = textOperators[operator];
  const template = parseTemplate(policyValue, variables);
  const matcherFor = (values: KeyValues): TextMatcher | undefined => {
    if (wildcards) {
      const tokens = resolveTokens(template, values);
      return tokens && matcher(tokens);
    }
    const text = resolveText(template, values);
    return text === undefined ? undefined : matcher([text]);
  };
  if (!template.constant) return (value, values) => matcherFor(values)?.(value) ?? false;
  const constant = matcherFor(() => undefined);
  return (value) => constant?.(value) ?? false;
}

function valueComparison(operator: keyof typeof valueOperators, policyValue: string): Comparison {
  const matches = valueOperators[operator].matcher(policyValue);
  return (value) => matches?.(value) ?? false;
}
