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
  if (tokens.length > 0 && tokens.every((token) => token === anything)) return () => true;
  const parts = splitAtColons(tokens);
  const isComplete = parts.length > separators;
  if (!isComplete && tokens.at(-1) !== anything) return () => false;
  // Most patterns have wildcards in the resource alone: then the colons fall into place.
  if (isComplete && parts.slice(0, separators).every(isConstant)) return globOf(tokens);
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

function isConstant(tokens: readonly GlobToken[]): boolean {
  return tokens.every((token) => typeof token === "string");
}
