/**
 * `nextToken`: says where the next page begins, opaque to clients and bound to the question that it
 * belongs to. It carries no rights: who sends it is authorized like anyone else.
 */
import { createHash } from "node:crypto";
import { invalidParameter } from "./errors.ts";

/** Everything that makes the question: operation, registry, repository, filters. */
export type PageBinding = readonly (string | undefined)[];

/** @param after where the page ended, as the verb wants it back */
export function pageToken(binding: PageBinding, after: readonly string[]): string {
  return Buffer.from(JSON.stringify([bindingHash(binding), ...after])).toString("base64url");
}

/**
 * @returns where the page begins; undefined for the first one
 * @throws InvalidParameterException for a token of another question, or none of ours
 */
export function readPageToken(
  binding: PageBinding,
  token: string | undefined,
  length = 1,
): string[] | undefined {
  if (token === undefined) return undefined;
  const parts = parse(token);
  if (parts?.length !== length + 1 || parts[0] !== bindingHash(binding)) {
    throw invalidParameter("nextToken", "Member must be a token of this operation and its filters");
  }
  return parts.slice(1);
}

function parse(token: string): string[] | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
    const isText = (part: unknown): part is string =>
      typeof part === "string" &&
      part.length <= 1024 &&
      part.isWellFormed() &&
      !part.includes("\0");
    return Array.isArray(value) && value.every(isText) ? value : undefined;
  } catch {
    return undefined;
  }
}

function bindingHash(binding: PageBinding): string {
  return createHash("sha256").update(JSON.stringify(binding)).digest("hex").slice(0, 16);
}
