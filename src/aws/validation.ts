/**
 * Judges the input of an operation and words what is wrong with it as AWS does. Two kinds are told
 * apart: a value of the wrong type cannot be read at all, one of the right type can break a
 * constraint.
 */
import * as v from "valibot";

export interface Violation {
  readonly kind: "type" | "constraint";
  /** For example `rules.1.member.destinations`: members of lists count from 1. */
  readonly parameter: string;
  readonly text: string;
}

export type Validated<Output> = { readonly output: Output } | { readonly violation: Violation };

/** Reports the first violation only. */
export function validate<Schema extends v.GenericSchema>(
  schema: Schema,
  input: unknown,
): Validated<v.InferOutput<Schema>> {
  const result = v.safeParse(schema, input, { abortEarly: true, abortPipeEarly: true });
  return result.success ? { output: result.output } : { violation: violationOf(result.issues[0]) };
}

function violationOf(issue: v.BaseIssue<unknown>): Violation {
  const path = (issue.path ?? []).map((item) =>
    item.type === "array" ? `${Number(item.key) + 1}.member` : String(item.key),
  );
  const parameter = path.join(".");
  // A missing member is reported by its object, with `undefined` as what was received.
  if (issue.received === "undefined" || issue.received === "null") {
    return { kind: "constraint", parameter, text: "Member must not be null" };
  }
  if (issue.kind === "validation" || typeof issue.input === "string") {
    const text = constraintOf(issue);
    if (text !== undefined) return { kind: "constraint", parameter, text };
  }
  return { kind: "type", parameter, text: `${received(issue.input)} ${expected(issue)}` };
}

function constraintOf(issue: v.BaseIssue<unknown>): string | undefined {
  const requirement = "requirement" in issue ? issue.requirement : undefined;
  switch (issue.type) {
    case "min_length":
      return `Member must have length greater than or equal to ${requirement}`;
    case "max_length":
      return `Member must have length less than or equal to ${requirement}`;
    case "min_value":
      return `Member must have value greater than or equal to ${requirement}`;
    case "max_value":
      return `Member must have value less than or equal to ${requirement}`;
    case "regex":
      return `Member must satisfy regular expression pattern: ${sourceOf(requirement)}`;
    case "picklist":
      return `Member must satisfy enum value set: [${enumOf(issue.expected)}]`;
    default:
      return issue.kind === "schema" ? undefined : issue.message;
  }
}

function sourceOf(pattern: unknown): string {
  return pattern instanceof RegExp ? pattern.source.replace(/^\^|\$$/g, "") : String(pattern);
}

/** `("A" | "B")`, as valibot writes it, becomes `A, B`. */
function enumOf(expected: string | null): string {
  return (expected ?? "").replace(/[()"]/g, "").replaceAll(" | ", ", ");
}

function received(value: unknown): string {
  if (Array.isArray(value)) return "Start of list";
  switch (typeof value) {
    case "string":
      return "STRING_VALUE";
    case "number":
      return "NUMBER_VALUE";
    case "boolean":
      return value ? "TRUE_VALUE" : "FALSE_VALUE";
    default:
      return "Start of structure or map";
  }
}

function expected(issue: v.BaseIssue<unknown>): string {
  if (typeof issue.input === "object") return "found where not expected.";
  const names: Readonly<Record<string, string>> = {
    string: "a String",
    picklist: "a String",
    number: "a Number",
    boolean: "a Boolean",
    array: "a List",
    object: "a Structure",
  };
  return `can not be converted to ${names[issue.type] ?? "what is expected"}`;
}
