/**
 * What a target gets of an event: all of it, a part, a fixed text, or what a template makes of it.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
 */
import { EventsError } from "./errors.ts";
import type { EventEnvelope } from "./event.ts";
import type { InputTransformer, RuleTarget } from "./rule-documents.ts";

const pathPattern = /^\$(?:\.[A-Za-z0-9_-]+|\['[^'\]]+'\]|\[\d{1,6}\])*$/;
const variablePattern = /<([A-Za-z0-9._-]+)>/g;

/** @throws EventsError invalid */
export function checkInput({ input, inputPath, inputTransformer }: RuleTarget): void {
  const given = [input, inputPath, inputTransformer].filter((part) => part !== undefined);
  if (given.length > 1) {
    throw new EventsError(
      "invalid",
      "Only one of Input, InputPath, or InputTransformer must be provided.",
    );
  }
  if (input !== undefined && !isJson(input)) throw new EventsError("invalid", "Input is not JSON.");
  for (const path of [inputPath, ...Object.values(inputTransformer?.paths ?? {})]) {
    if (path !== undefined && !pathPattern.test(path)) {
      throw new EventsError("invalid", `InputPath ${path} is not a path such as $.detail.result.`);
    }
  }
  for (const name of Object.keys(inputTransformer?.paths ?? {})) {
    if (name.startsWith("aws.")) {
      throw new EventsError("invalid", "Names of InputPathsMap must not begin with aws.");
    }
  }
  for (const [, name = ""] of (inputTransformer?.template ?? "").matchAll(variablePattern)) {
    const isKnown =
      name.startsWith("aws.events.") || Object.hasOwn(inputTransformer?.paths ?? {}, name);
    if (!isKnown) {
      throw new EventsError("invalid", `InputTemplate has a placeholder without a path: ${name}.`);
    }
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** @returns a value of JSON */
export function inputOf(
  target: RuleTarget,
  event: EventEnvelope,
  rule: { readonly name: string; readonly arn: string },
): unknown {
  if (target.input !== undefined) return JSON.parse(target.input);
  if (target.inputPath !== undefined) return valueAt(event, target.inputPath) ?? null;
  if (target.inputTransformer !== undefined) {
    const text = transform(target.inputTransformer, event, rule);
    // A template may also make plain text.
    return isJson(text) ? JSON.parse(text) : text;
  }
  return event;
}

function valueAt(event: unknown, path: string): unknown {
  let value = event;
  for (const [, field, quoted, index] of path.matchAll(
    /\.([A-Za-z0-9_-]+)|\['([^'\]]+)'\]|\[(\d+)\]/g,
  )) {
    if (typeof value !== "object" || value === null) return undefined;
    const key = field ?? quoted ?? index ?? "";
    value = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
  }
  return value;
}

/** Inside quotes a placeholder is text, outside it is JSON. What the event does not have is empty. */
function transform(
  { paths, template }: InputTransformer,
  event: EventEnvelope,
  rule: { readonly name: string; readonly arn: string },
): string {
  const reserved: Readonly<Record<string, unknown>> = {
    "aws.events.rule-arn": rule.arn,
    "aws.events.rule-name": rule.name,
    "aws.events.event.ingestion-time": event.time,
    "aws.events.event": event,
    "aws.events.event.json": event,
  };
  let result = "";
  let position = 0;
  let quoted = false;
  for (const match of template.matchAll(variablePattern)) {
    const before = template.slice(position, match.index);
    quoted = endsQuoted(before, quoted);
    const name = match[1] ?? "";
    const path = Object.hasOwn(paths, name) ? paths[name] : undefined;
    const value = path === undefined ? reserved[name] : valueAt(event, path);
    result += before + (quoted ? textOf(value) : (JSON.stringify(value) ?? '""'));
    position = match.index + match[0].length;
  }
  return result + template.slice(position);
}

function endsQuoted(text: string, quoted: boolean): boolean {
  const quotes = text.replace(/\\./g, "").split('"').length - 1;
  return quotes % 2 === 1 ? !quoted : quoted;
}

/** For the inside of a JSON text. */
function textOf(value: unknown): string {
  if (value === undefined) return "";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return JSON.stringify(text).slice(1, -1);
}
