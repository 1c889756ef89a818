/**
 * Policy variables: `${aws:username}`, with a default `${aws:username, 'nobody'}`, and the three
 * that are characters, `${*}`, `${?}` and `${$}`. What a variable stands for is taken literally: a
 * `*` in it is no wildcard.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 */
import { type GlobToken, globTokens } from "./glob.ts";

/** Values of condition keys; keys are in lower case. */
export type KeyValues = (key: string) => string | readonly string[] | undefined;

type Variable =
  | { readonly character: string }
  | { readonly key: string; readonly fallback?: string };

export interface Template {
  readonly parts: readonly ({ readonly text: string } | Variable)[];
  /** No variables: the same for every request. */
  readonly constant: boolean;
}

const variablePattern = /\$\{([^{}]*)\}/g;
/** A key, then perhaps a default in quotes. */
const contentPattern = /^\s*([^\s,']+)\s*(?:,\s*'([^']*)'\s*)?$/;

/** @param variables false for policies of version 2008-10-17, which know none */
export function parseTemplate(text: string, variables: boolean): Template {
  const parts: ({ text: string } | Variable)[] = [];
  let end = 0;
  if (variables) {
    for (const match of text.matchAll(variablePattern)) {
      const part = variable(match[1] ?? "");
      if (part === undefined) continue;
      if (match.index > end) parts.push({ text: text.slice(end, match.index) });
      parts.push(part);
      end = match.index + match[0].length;
    }
  }
  if (end < text.length) parts.push({ text: text.slice(end) });
  return { parts, constant: !parts.some((part) => "key" in part) };
}

function variable(content: string): Variable | undefined {
  if (content === "*" || content === "?" || content === "$") return { character: content };
  const match = contentPattern.exec(content);
  if (match?.[1] === undefined) return undefined;
  const key = match[1].toLowerCase();
  return match[2] === undefined ? { key } : { key, fallback: match[2] };
}

/** Undefined when a variable has no value and no default: nothing is like it. */
export function resolveTokens(template: Template, values: KeyValues): GlobToken[] | undefined {
  const tokens: GlobToken[] = [];
  for (const part of template.parts) {
    if ("text" in part) {
      tokens.push(...globTokens(part.text));
      continue;
    }
    const literal = literalOf(part, values);
    if (literal === undefined) return undefined;
    tokens.push(...literal.split(""));
  }
  return tokens;
}

/** The same with `*` and `?` as the characters that they are. */
export function resolveText(template: Template, values: KeyValues): string | undefined {
  let text = "";
  for (const part of template.parts) {
    const literal = "text" in part ? part.text : literalOf(part, values);
    if (literal === undefined) return undefined;
    text += literal;
  }
  return text;
}

function literalOf(variable: Variable, values: KeyValues): string | undefined {
  if ("character" in variable) return variable.character;
  const value = values(variable.key);
  // A key with several values cannot be a variable.
  return typeof value === "string" ? value : variable.fallback;
}
