/**
 * Patterns with `*` (any characters, also none) and `?` (one). Never a regular expression: a
 * pattern comes from a client, and no pattern takes longer than its length times the text's.
 */

/** A character, or one of the two wildcards. */
export type GlobToken = string | typeof anything | typeof anyCharacter;
export const anything = Symbol("*");
export const anyCharacter = Symbol("?");

export type TextMatcher = (text: string) => boolean;

export function globTokens(pattern: string): GlobToken[] {
  return pattern.split("").map((character) => {
    if (character === "*") return anything;
    return character === "?" ? anyCharacter : character;
  });
}

export function glob(pattern: string): TextMatcher {
  return globOf(globTokens(pattern));
}

/** The common forms have a way of their own: a text, `*`, and a text that ends with `*`. */
export function globOf(tokens: readonly GlobToken[]): TextMatcher {
  const wildcard = tokens.findIndex((token) => typeof token !== "string");
  if (wildcard < 0) {
    const whole = tokens.join("");
    return (text) => text === whole;
  }
  if (tokens.every((token) => token === anything)) return () => true;
  if (tokens.slice(wildcard).every((token) => token === anything)) {
    const start = tokens.slice(0, wildcard).join("");
    return (text) => text.startsWith(start);
  }
  return (text) => matchesTokens(tokens, text);
}

/** On a mismatch, the last `*` takes one character more; earlier ones never need to. */
function matchesTokens(tokens: readonly GlobToken[], text: string): boolean {
  let token = 0;
  let position = 0;
  let lastAnything = -1;
  let resumeAt = 0;
  while (position < text.length) {
    const expected = tokens[token];
    if (expected === anything) {
      lastAnything = token++;
      resumeAt = position;
    } else if (expected === anyCharacter || expected === text[position]) {
      token++;
      position++;
    } else if (lastAnything >= 0) {
      token = lastAnything + 1;
      position = ++resumeAt;
    } else {
      return false;
    }
  }
  while (tokens[token] === anything) token++;
  return token === tokens.length;
}
