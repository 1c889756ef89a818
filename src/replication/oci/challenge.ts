/**
 * What a registry asks for in WWW-Authenticate.
 * https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1
 * https://distribution.github.io/distribution/spec/auth/token/
 */
export type RegistryChallenge =
  | { readonly scheme: "basic" }
  | { readonly scheme: "bearer"; readonly realm: URL; readonly service: string | undefined };

const headerLengthLimit = 8192;
const token = "[A-Za-z0-9!#$%&'*+.^_`|~-]+";
/** A scheme, or a parameter of the scheme before it. */
const piece = new RegExp(
  `\\s*(?:(${token})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|(${token}))|(${token}))\\s*(?:,|(?=\\s)|$)`,
  "y",
);

/**
 * The challenge to answer: Bearer before Basic, for it says for what.
 * @returns undefined when there is none that can be answered
 */
export function parseRegistryChallenge(header: string | null): RegistryChallenge | undefined {
  if (header === null || header.length > headerLengthLimit) return undefined;
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  piece.lastIndex = 0;
  for (let match = piece.exec(header); match !== null; match = piece.exec(header)) {
    const [, name, quoted, bare, scheme] = match;
    if (scheme !== undefined) {
      challenges.push({ scheme: scheme.toLowerCase(), parameters: new Map() });
    } else if (name !== undefined) {
      const value = quoted?.replace(/\\(.)/g, "$1") ?? bare ?? "";
      challenges.at(-1)?.parameters.set(name.toLowerCase(), value);
    }
    if (piece.lastIndex >= header.length) break;
  }
  for (const { scheme, parameters } of challenges) {
    const realm = parameters.get("realm") ?? "";
    if (scheme !== "bearer" || !URL.canParse(realm)) continue;
    return { scheme, realm: new URL(realm), service: parameters.get("service") };
  }
  return challenges.some(({ scheme }) => scheme === "basic") ? { scheme: "basic" } : undefined;
}
