/**
 * Does an event match a pattern? Pure. A field of the event that is a list matches when one of its
 * members does; a list of objects matches as a whole when one object matches all fields.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns-arrays.html
 */
import { isInRange } from "./address-range.ts";
import { type Condition, isConditions, type PatternNode } from "./pattern-syntax.ts";

export function matches(pattern: PatternNode, event: unknown): boolean {
  if (Array.isArray(event)) return event.some((member) => matches(pattern, member));
  const object = isObject(event) ? event : {};
  return (
    pattern.fields.every(([name, test]) => {
      const value = Object.hasOwn(object, name) ? object[name] : undefined;
      return isConditions(test) ? holdsForOne(test, value) : matches(test, value);
    }) &&
    pattern.alternatives.every((list) => list.some((alternative) => matches(alternative, object)))
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function holdsForOne(conditions: readonly Condition[], value: unknown): boolean {
  return conditions.some((condition) => holds(condition, value));
}

function holds(condition: Condition, value: unknown): boolean {
  // `exists` is about leaves: an object or an empty list is none.
  if (condition.kind === "exists") return condition.exists === leaves(value).length > 0;
  if (condition.kind === "anything-but") {
    return leaves(value).some(
      (leaf) => !condition.conditions.some((excluded) => leafHolds(excluded, leaf)),
    );
  }
  return leaves(value).some((leaf) => leafHolds(condition, leaf));
}

function leaves(value: unknown): unknown[] {
  if (value === undefined || isObject(value)) return [];
  return Array.isArray(value) ? value.flatMap(leaves) : [value];
}

function leafHolds(condition: Condition, leaf: unknown): boolean {
  switch (condition.kind) {
    case "equals":
      return leaf === condition.value;
    case "prefix":
      return typeof leaf === "string" && folded(leaf, condition).startsWith(condition.text);
    case "suffix":
      return typeof leaf === "string" && folded(leaf, condition).endsWith(condition.text);
    case "equals-ignore-case":
      return typeof leaf === "string" && leaf.toLowerCase() === condition.text.toLowerCase();
    case "wildcard":
      return typeof leaf === "string" && matchesWildcard(condition.parts, leaf);
    case "numeric":
      return typeof leaf === "number" && condition.bounds.every((bound) => compares(bound, leaf));
    case "cidr":
      return typeof leaf === "string" && isInRange(leaf, condition.range);
    default:
      return false;
  }
}

function folded(text: string, { ignoreCase }: { ignoreCase: boolean }): string {
  return ignoreCase ? text.toLowerCase() : text;
}

/** Greedy from the left, which is right and linear, because every part but the last may stand early. */
function matchesWildcard(parts: readonly string[], text: string): boolean {
  const [first = "", ...rest] = parts;
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first)) return false;
  let position = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, position);
    if (found < 0) return false;
    position = found + part.length;
  }
  return text.length - last.length >= position && text.endsWith(last);
}

function compares([sign, bound]: readonly [string, number], value: number): boolean {
  switch (sign) {
    case "<":
      return value < bound;
    case "<=":
      return value <= bound;
    case "=":
      return value === bound;
    case ">=":
      return value >= bound;
    default:
      return value > bound;
  }
}
