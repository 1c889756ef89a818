/**
 * Input of the AWS Query protocol: a form whose names are paths, `Tags.member.1.Key=team`, becomes
 * nested objects and lists. All values stay texts.
 * https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
 */
import { AwsError } from "./errors.ts";

export type FormValue = string | FormValue[] | { readonly [name: string]: FormValue };

interface Branch extends Map<string, string | Branch> {}

const parametersLimit = 1000;
const depthLimit = 10;

/** @throws AwsError */
export function parseForm(body: Uint8Array): Readonly<Record<string, FormValue>> {
  const root: Branch = new Map();
  let count = 0;
  for (const [name, value] of new URLSearchParams(decode(body))) {
    count += 1;
    if (count > parametersLimit) throw malformed(`more than ${parametersLimit} parameters`);
    insert(root, name, value);
  }
  return objectOf(root);
}

function decode(body: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    throw malformed("the body is not UTF-8");
  }
}

function insert(root: Branch, name: string, value: string): void {
  const path = name.split(".");
  const last = path.pop() ?? "";
  if (path.length > depthLimit) throw malformed(`a parameter is nested deeper than ${depthLimit}`);
  let branch = root;
  for (const step of path) {
    const next = branch.get(step) ?? new Map<string, string | Branch>();
    if (typeof next === "string") throw malformed("a parameter has a value and members");
    branch.set(step, next);
    branch = next;
  }
  if (branch.has(last)) throw malformed("a parameter is there twice");
  branch.set(last, value);
}

function objectOf(branch: Branch): Record<string, FormValue> {
  // Without a prototype: names are the client's.
  const object: Record<string, FormValue> = Object.create(null);
  for (const [name, value] of branch) object[name] = formValue(value);
  return object;
}

function formValue(value: string | Branch): FormValue {
  if (typeof value === "string") return value;
  const members = value.size === 1 ? value.get("member") : undefined;
  if (members === undefined || typeof members === "string") return objectOf(value);
  const numbered = [...members].map(([name, member]) => ({ number: Number(name), member }));
  if (!numbered.every(({ number }) => Number.isSafeInteger(number) && number > 0)) {
    throw malformed("members of a list are numbered from 1");
  }
  return numbered.sort((a, b) => a.number - b.number).map(({ member }) => formValue(member));
}

function malformed(reason: string): AwsError {
  return new AwsError(
    "MalformedQueryString",
    `The query string contains a syntax error: ${reason}.`,
  );
}
