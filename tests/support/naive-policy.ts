/**
 * A second reading of the policy language, straight from AWS's manual and as plain as can be: the
 * compiled one is compared with it. It shares nothing with the code that it checks.
 */
import type { Principal } from "../../src/access/access.ts";

export interface NaiveRequest {
  readonly action: string;
  readonly resource: string;
  readonly principal: Principal;
  /** By names in lower case. */
  readonly values: Readonly<Record<string, string | readonly string[]>>;
}

type Json = Record<string, unknown>;

/** `deny`, `allow`, `account` when only the caller's account is allowed, or `nothing`. */
export function naiveVerdict(document: Json, request: NaiveRequest): string {
  const found = list(document.Statement).map((statement) =>
    verdictOf(statement as Json, request, document.Version === "2012-10-17"),
  );
  return ["deny", "allow", "account"].find((verdict) => found.includes(verdict)) ?? "nothing";
}

function verdictOf(statement: Json, request: NaiveRequest, variables: boolean): string {
  const fill = (text: string) => (variables ? filled(text, request.values) : quoted(text));
  const actions = list(statement.Action ?? statement.NotAction) as string[];
  const isAction = actions.some((pattern) => matches(quoted(pattern), request.action, "i"));
  if (isAction === "NotAction" in statement) return "nothing";

  const resources = list(statement.Resource ?? statement.NotResource) as string[];
  if ("Resource" in statement || "NotResource" in statement) {
    const isResource = resources.some((pattern) => matchesArn(fill(pattern), request.resource));
    if (isResource === "NotResource" in statement) return "nothing";
  }

  const principal = principalOf(statement, request.principal);
  if (principal === "nothing") return "nothing";

  const conditions = Object.entries((statement.Condition ?? {}) as Record<string, Json>);
  for (const [operator, keys] of conditions) {
    for (const [key, expected] of Object.entries(keys)) {
      const texts = (list(expected) as unknown[]).map((value) => fill(String(value)));
      if (!conditionHolds(operator, texts, request.values[key.toLowerCase()])) return "nothing";
    }
  }
  return statement.Effect === "Deny" ? "deny" : principal;
}

function principalOf(statement: Json, principal: Principal): string {
  if (!("Principal" in statement) && !("NotPrincipal" in statement)) return "allow";
  const element = statement.Principal ?? statement.NotPrincipal;
  const names = element === "*" ? ["*"] : (list((element as Json).AWS) as string[]);
  const account = [principal.account, `arn:aws:iam::${principal.account}:root`];
  const own = ["*", principal.arn, principal.identityArn, principal.userId];
  const isNamed = names.some((name) => own.includes(name));
  const isAccountNamed = names.some((name) => account.includes(name));
  const found = isNamed ? "allow" : isAccountNamed ? "account" : "nothing";
  if ("Principal" in statement) return found;
  if (statement.Effect === "Deny") return found === "allow" ? "nothing" : "allow";
  return found === "nothing" ? "allow" : "nothing";
}

function conditionHolds(
  name: string,
  expected: readonly Pattern[],
  present: string | readonly string[] | undefined,
): boolean {
  const ifExists = name.endsWith("IfExists");
  const operator = name.replace(/^.*:/, "").replace(/IfExists$/, "");
  const values = present === undefined ? [] : (list(present) as string[]);
  if (operator === "Null") return expected.some(({ source }) => source === String(!values.length));
  const negated = /Not/.test(operator);
  const like = (value: string) => expected.some((pattern) => compare(operator, pattern, value));
  if (values.length === 0) {
    if (ifExists || name.startsWith("ForAllValues:")) return true;
    return negated && !name.startsWith("ForAnyValue:");
  }
  if (name.startsWith("ForAllValues:")) return values.every((value) => like(value) !== negated);
  if (name.startsWith("ForAnyValue:")) return values.some((value) => like(value) !== negated);
  return values.some(like) !== negated;
}

function compare(operator: string, pattern: Pattern, value: string): boolean {
  const plain = operator.replace("Not", "");
  if (plain === "StringEquals") return pattern.text === value;
  if (plain === "StringEqualsIgnoreCase") {
    return pattern.text?.toLowerCase() === value.toLowerCase();
  }
  if (plain === "StringLike") return matches(pattern, value, "");
  if (plain === "ArnLike" || plain === "ArnEquals") return matchesArn(pattern, value);
  if (plain === "NumericLessThan") return Number(value) < Number(pattern.text);
  if (plain === "Bool") return pattern.text === value;
  throw new Error(`the naive reading does not know ${operator}`);
}

/** A text with its wildcards as a regular expression. */
interface Pattern {
  readonly source: string;
  /** Undefined when a variable has no value. */
  readonly text: string | undefined;
  readonly expression: string;
}

function quoted(source: string): Pattern {
  return { source, text: source, expression: expressionOf(source) };
}

function filled(source: string, values: NaiveRequest["values"]): Pattern {
  let missing = false;
  const parts = source.split(/(\$\{[^}]*\})/).map((part) => {
    const [, key] = /^\$\{(.*)\}$/.exec(part) ?? [];
    if (key === undefined) return { text: part, expression: expressionOf(part) };
    const value = values[key.toLowerCase()];
    missing ||= typeof value !== "string";
    return { text: String(value), expression: literal(String(value)) };
  });
  return {
    source,
    text: missing ? undefined : parts.map(({ text }) => text).join(""),
    expression: missing ? "[]" : parts.map(({ expression }) => expression).join(""),
  };
}

const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");

function expressionOf(text: string): string {
  return literal(text).replaceAll("\\*", "[^]*").replaceAll("\\?", "[^]");
}

function matches({ expression }: Pattern, text: string, flags: string): boolean {
  return new RegExp(`^(?:${expression})$`, flags).test(text);
}

/** All patterns that the tests make are whole ARNs or `*`. */
function matchesArn(pattern: Pattern, text: string): boolean {
  if (pattern.source === "*") return true;
  const expressions = pattern.expression.split(":");
  const patternParts = [...expressions.slice(0, 5), expressions.slice(5).join(":")];
  const parts = text.split(":");
  const textParts = [...parts.slice(0, 5), parts.slice(5).join(":")];
  if (parts.length < 6 || expressions.length < 6) return false;
  return patternParts.every((expression, index) =>
    new RegExp(`^(?:${expression})$`).test(textParts[index] ?? ""),
  );
}

function list(value: unknown): unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}
