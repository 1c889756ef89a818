/**
 * Conditional and range requests on content that never changes under its digest.
 * https://www.rfc-editor.org/rfc/rfc9110#section-13 and #section-14
 */

export const entityTag = (digest: string) => `"${digest}"`;

/** True when the client has this very content already: answer 304. */
export function isNotModified(request: Request, digest: string): boolean {
  const header = request.headers.get("if-none-match");
  return header !== null && matchesEntityTag(header, digest);
}

function matchesEntityTag(header: string, digest: string): boolean {
  if (header.trim() === "*") return true;
  return header.split(",").some((part) => part.trim().replace(/^W\//, "") === entityTag(digest));
}

/** Both inclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Lazy pulls ask for many ranges at once; more than this is answered with the whole blob. So is a
 * request for more bytes than the blob has (`bytes=2-,1-,0-`), which only wants to cause work.
 */
const rangesLimit = 256;

/**
 * The ranges that a request asks for, in order, overlapping ones merged.
 * @returns "whole" when no range applies, "unsatisfiable" when none of them exists
 */
export function requestedRanges(
  request: Request,
  digest: string,
  size: number,
): readonly ByteRange[] | "whole" | "unsatisfiable" {
  const header = request.headers.get("range");
  if (header === null) return "whole";
  const condition = request.headers.get("if-range");
  if (condition !== null && condition.trim() !== entityTag(digest)) return "whole";
  const specification = /^bytes=(.+)$/.exec(header.trim())?.[1];
  if (specification === undefined) return "whole";
  const parts = specification.split(",");
  if (parts.length > rangesLimit) return "whole";
  const ranges: ByteRange[] = [];
  for (const part of parts) {
    const match = /^(\d{0,15})-(\d{0,15})$/.exec(part.trim());
    if (match === null || (match[1] === "" && match[2] === "")) return "whole";
    const range = resolveRange(match[1] ?? "", match[2] ?? "", size);
    if (range !== undefined) ranges.push(range);
  }
  // Some clients put a range on every request; an empty blob has none that could be satisfied.
  if (ranges.length === 0) return size === 0 ? "whole" : "unsatisfiable";
  const merged = merge(ranges);
  const bytes = merged.reduce((sum, { start, end }) => sum + end - start + 1, 0);
  return bytes > size ? "whole" : merged;
}

function resolveRange(first: string, last: string, size: number): ByteRange | undefined {
  if (first === "") {
    const suffix = Math.min(Number(last), size);
    return suffix === 0 ? undefined : { start: size - suffix, end: size - 1 };
  }
  const start = Number(first);
  const end = last === "" ? size - 1 : Math.min(Number(last), size - 1);
  return start >= size || end < start ? undefined : { start, end };
}

/** Overlapping and touching ranges become one; otherwise the client's order is kept. */
function merge(ranges: readonly ByteRange[]): ByteRange[] {
  const merged: ByteRange[] = [];
  for (const range of ranges) {
    const last = merged.at(-1);
    if (last !== undefined && range.start >= last.start && range.start <= last.end + 1) {
      merged[merged.length - 1] = { start: last.start, end: Math.max(last.end, range.end) };
    } else {
      merged.push(range);
    }
  }
  return merged;
}
