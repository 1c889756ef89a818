/**
 * Event patterns in EventBridge's language, read from untrusted text into a tree that `matches`
 * walks. What EventBridge refuses is refused here, with a reason.
 *
 * Ours, because the only library (AWS's Event Ruler) is for Java.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
 */
import { type AddressRange, parseAddressRange } from "./address-range.ts";

export class EventPatternError extends Error {
  override readonly name = "EventPatternError";
}

export type Primitive = string | number | boolean | null;

export type Comparison = "<" | "<=" | "=" | ">=" | ">";

/** A part of a text: `*` stands between the parts. */
export type WildcardParts = readonly string[];

export type Condition =
  | { readonly kind: "equals"; readonly value: Primitive }
  | { readonly kind: "prefix"; readonly text: string; readonly ignoreCase: boolean }
  | { readonly kind: "suffix"; readonly text: string; readonly ignoreCase: boolean }
  | { readonly kind: "equals-ignore-case"; readonly text: string }
  | { readonly kind: "wildcard"; readonly parts: WildcardParts }
  | { readonly kind: "numeric"; readonly bounds: readonly (readonly [Comparison, number])[] }
  | { readonly kind: "cidr"; readonly range: AddressRange }
  | { readonly kind: "exists"; readonly exists: boolean }
  /** None of them holds, and there is a value. */
  | { readonly kind: "anything-but"; readonly conditions: readonly Condition[] };

/** All fields must match; a `$or` among them is a list of which one must. */
export interface PatternNode {
  readonly fields: readonly (readonly [name: string, test: readonly Condition[] | PatternNode])[];
  readonly alternatives: readonly (readonly PatternNode[])[];
}

/** EventBridge's limit for the text of a pattern. */
export const patternLengthLimit = 4096;
const depthLimit = 32;
/** Combinations that `$or` may make; EventBridge's figure. */
const combinationsLimit = 1000;

/** @throws EventPatternError */
export function parseEventPattern(text: string): PatternNode {
  if (text.length > patternLengthLimit) {
    throw new EventPatternError(`the pattern is longer than ${patternLengthLimit} characters`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new EventPatternError("the pattern is not JSON");
  }
  if (!isObject(value)) throw new EventPatternError("the pattern must be a JSON object");
  const node = readNode(value, 0, "");
  if (combinations(node) > combinationsLimit) {
    throw new EventPatternError(`$or makes more than ${combinationsLimit} combinations`);
  }
  return node;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function readNode(object: Record<string, unknown>, depth: number, path: string): PatternNode {
  if (depth > depthLimit) throw new EventPatternError("the pattern is nested too deeply");
  const entries = Object.entries(object);
  if (entries.length === 0) throw new EventPatternError(`${path || "the pattern"} is empty`);
  const fields: [string, readonly Condition[] | PatternNode][] = [];
  const alternatives: PatternNode[][] = [];
  for (const [name, value] of entries) {
    const here = path === "" ? name : `${path}.${name}`;
    if (name === "$or" && Array.isArray(value)) {
      if (value.length < 2) throw new EventPatternError(`${here} needs two alternatives or more`);
      alternatives.push(
        value.map((alternative) => {
          if (!isObject(alternative)) throw new EventPatternError(`${here} must list objects`);
          return readNode(alternative, depth + 1, here);
        }),
      );
    } else if (Array.isArray(value)) {
      if (value.length === 0) throw new EventPatternError(`${here} is an empty list`);
      fields.push([name, value.map((member) => readCondition(member, here))]);
    } else if (isObject(value)) {
      fields.push([name, readNode(value, depth + 1, here)]);
    } else {
      throw new EventPatternError(`${here} must be an object or a list`);
    }
  }
  return { fields, alternatives };
}

function combinations({ fields, alternatives }: PatternNode): number {
  let count = 1;
  for (const [, test] of fields) if (!isConditions(test)) count *= combinations(test);
  for (const list of alternatives) {
    count *= list.reduce((sum, alternative) => sum + combinations(alternative), 0);
  }
  return count;
}

export function isConditions(
  test: readonly Condition[] | PatternNode,
): test is readonly Condition[] {
  return Array.isArray(test);
}

function isPrimitive(value: unknown): value is Primitive {
  return value === null || ["string", "number", "boolean"].includes(typeof value);
}

function readCondition(value: unknown, path: string): Condition {
  if (isPrimitive(value)) return { kind: "equals", value };
  if (!isObject(value)) throw new EventPatternError(`${path} lists something that is no condition`);
  const [entry, ...more] = Object.entries(value);
  if (entry === undefined || more.length > 0) {
    throw new EventPatternError(`a condition of ${path} must have exactly one operator`);
  }
  const [operator, operand] = entry;
  switch (operator) {
    case "prefix":
    case "suffix":
      return affix(operator, operand, path);
    case "equals-ignore-case":
      return { kind: operator, text: textOf(operand, operator, path) };
    case "wildcard":
      return { kind: operator, parts: wildcardParts(textOf(operand, operator, path), path) };
    case "numeric":
      return { kind: operator, bounds: numericBounds(operand, path) };
    case "cidr": {
      const range = parseAddressRange(textOf(operand, operator, path));
      if (range === undefined) throw new EventPatternError(`cidr of ${path} is no address range`);
      return { kind: operator, range };
    }
    case "exists":
      if (typeof operand !== "boolean") {
        throw new EventPatternError(`exists of ${path} must be true or false`);
      }
      return { kind: operator, exists: operand };
    case "anything-but":
      return { kind: operator, conditions: excluded(operand, path) };
    default:
      throw new EventPatternError(`${path} has an operator that does not exist: ${operator}`);
  }
}

function textOf(operand: unknown, operator: string, path: string): string {
  if (typeof operand === "string") return operand;
  throw new EventPatternError(`${operator} of ${path} must be a text`);
}

function affix(kind: "prefix" | "suffix", operand: unknown, path: string): Condition {
  if (typeof operand === "string") return { kind, text: operand, ignoreCase: false };
  const entries = isObject(operand) ? Object.entries(operand) : [];
  const [entry] = entries;
  if (entries.length === 1 && entry?.[0] === "equals-ignore-case") {
    return { kind, text: textOf(entry[1], kind, path).toLowerCase(), ignoreCase: true };
  }
  throw new EventPatternError(`${kind} of ${path} must be a text`);
}

/** `\*` and `\\` are the signs themselves. */
function wildcardParts(text: string, path: string): string[] {
  const parts: string[] = [];
  let part = "";
  for (let i = 0; i < text.length; i++) {
    const sign = text[i];
    if (sign === "\\") {
      const next = text[i + 1];
      if (next !== "*" && next !== "\\") {
        throw new EventPatternError(`wildcard of ${path} has a backslash before neither * nor \\`);
      }
      part += next;
      i += 1;
    } else if (sign === "*") {
      if (text[i + 1] === "*") {
        throw new EventPatternError(`wildcard of ${path} has two * in a row`);
      }
      parts.push(part);
      part = "";
    } else part += sign;
  }
  parts.push(part);
  return parts;
}

const comparisons: readonly string[] = ["<", "<=", "=", ">=", ">"];
/** EventBridge compares numbers in this range. */
const numericLimit = 5e9;

function numericBounds(operand: unknown, path: string): [Comparison, number][] {
  if (!Array.isArray(operand) || (operand.length !== 2 && operand.length !== 4)) {
    throw new EventPatternError(`numeric of ${path} must list one or two comparisons`);
  }
  const bounds: [Comparison, number][] = [];
  for (let i = 0; i < operand.length; i += 2) {
    const sign: unknown = operand[i];
    const number: unknown = operand[i + 1];
    if (typeof sign !== "string" || !comparisons.includes(sign) || typeof number !== "number") {
      throw new EventPatternError(`numeric of ${path} must alternate signs and numbers`);
    }
    if (Math.abs(number) > numericLimit) {
      throw new EventPatternError(`numeric of ${path} must lie between -5e9 and 5e9`);
    }
    bounds.push([sign as Comparison, number]);
  }
  const [first, second] = bounds;
  if (first !== undefined && second !== undefined) {
    const isRange = first[0].startsWith(">") && second[0].startsWith("<") && first[1] < second[1];
    if (!isRange) throw new EventPatternError(`numeric of ${path} is no range`);
  }
  return bounds;
}

/** Texts and numbers, or one of the operators that may be denied, with a text or a list of them. */
function excluded(operand: unknown, path: string): Condition[] {
  const asList = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value]);
  const refuse = () =>
    new EventPatternError(`anything-but of ${path} must have texts, numbers or an operator`);
  if (isObject(operand)) {
    const [entry, ...more] = Object.entries(operand);
    if (entry === undefined || more.length > 0) throw refuse();
    const [operator, inner] = entry;
    const allowed = ["prefix", "suffix", "equals-ignore-case", "wildcard"];
    const list = asList(inner);
    if (!allowed.includes(operator) || list.length === 0) throw refuse();
    return list.map((member) => readCondition({ [operator]: member }, path));
  }
  const list = asList(operand);
  if (list.length === 0) throw refuse();
  return list.map((member): Condition => {
    if (!isPrimitive(member)) throw refuse();
    return { kind: "equals", value: member };
  });
}
