/**
 * Compiled policies by their text: the same document is parsed and compiled once, however often it
 * is attached and loaded. A document that changes is another text, so nothing here gets old.
 */
import { type CompiledPolicy, compilePolicy } from "./policy/compile-policy.ts";
import { parsePolicy } from "./policy/parse-policy.ts";
import type { PolicyType } from "./policy/policy-types.ts";
import type { AttachedPolicy } from "./policy-source.ts";

export type CompiledPolicies = (policy: AttachedPolicy, type: PolicyType) => CompiledPolicy;

const entriesLimit = 20_000;

export function compiledPolicies(): CompiledPolicies {
  /** Least recently used first. */
  const entries = new Map<string, CompiledPolicy>();
  return ({ name, document }, type) => {
    const key = `${type} ${name}\n${document}`;
    const known = entries.get(key);
    if (known !== undefined) {
      entries.delete(key);
      entries.set(key, known);
      return known;
    }
    const compiled = compile(name, document, type);
    entries.set(key, compiled);
    if (entries.size > entriesLimit) {
      for (const oldest of entries.keys()) {
        entries.delete(oldest);
        break;
      }
    }
    return compiled;
  };
}

/** It was good when it was stored; one that is not readable now must not be passed over. */
function compile(name: string, document: string, type: PolicyType): CompiledPolicy {
  try {
    return compilePolicy(name, parsePolicy(document, type));
  } catch (error) {
    throw new Error(`the stored policy ${name} cannot be read`, { cause: error });
  }
}
