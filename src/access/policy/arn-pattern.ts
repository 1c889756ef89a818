/**
 * Patterns of ARNs, `arn:partition:service:region:account:resource`. A wildcard stays within its
 * part; the last part, which may hold colons and slashes, is one part.
 */
import { anything, type GlobToken, globOf, type TextMatcher } from "./glob.ts";

const separators = 5;

/**
 * A pattern with too few parts is like nothing, unless it ends with `*`, as `arn:aws:ecr:*` does:
 * then the missing parts may be anything.
 */
export function arnGlob(tokens: readonly GlobToken[]): TextMatcher {
  if (tokens.every((token) => token === anything)) return () => true;
  const parts = splitAtColons(tokens);
  const isOpen = parts.length <= separators && tokens.at(-1) === anything;
  if (parts.length <= separators && !isOpen) return () => false;
  if (isConstant(parts.slice(0, separators)) && parts.length > separators) {
    // Most patterns have wildcards in the resource alone: then the colons fall into place.
    const [start, end] = constantStart(parts);
    const matchesEnd = globOf(end);
    return (text) => text.startsWith(start) && matchesEnd(text.slice(start.length));
  }
  const matchers = parts.map(globOf);
  return (text) => {
    let start = 0;
    for (let index = 0; index < separators; index++) {
      const colon = text.indexOf(":", start);
      if (colon < 0) return false;
      const matches = matchers[index];
      if (matches !== undefined && !matches(text.slice(start, colon))) return false;
      start = colon + 1;
    }
    return matchers[separators]?.(text.slice(start)) ?? true;
  };
}

/** At most six parts. */
function splitAtColons(tokens: readonly GlobToken[]): GlobToken[][] {
  const parts: GlobToken[][] = [[]];
  for (const token of tokens) {
    if (token === ":" && parts.length <= separators) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return parts;
}

function isConstant(parts: readonly (readonly GlobToken[])[]): boolean {
  return parts.every((part) => part.every((token) => typeof token === "string"));
}

function constantStart(parts: readonly (readonly GlobToken[])[]): [string, readonly GlobToken[]] {
  const start = parts.slice(0, separators).map((part) => `${part.join("")}:`);
  return [start.join(""), parts[separators] ?? []];
}
