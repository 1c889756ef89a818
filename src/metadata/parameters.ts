/**
 * What may be a parameter of a query, the same on every engine. Without this check they differ:
 * SQLite would keep 1.5 in an integer column where PostgreSQL rounds it to 2, and PostgreSQL
 * refuses a NUL in a text where SQLite keeps it. Either is an error of the caller, who must have
 * validated what came from outside.
 */
import type { SqlValue } from "./metadata-store.ts";

/** @throws TypeError that names the parameter's position, and not its value */
export function checkParameters(parameters: readonly SqlValue[]): void {
  for (let i = 0; i < parameters.length; i++) {
    const reason = faultOf(parameters[i]);
    if (reason !== undefined) throw new TypeError(`parameter $${i + 1} ${reason}`);
  }
}

function faultOf(value: unknown): string | undefined {
  if (value === null || value instanceof Uint8Array) return undefined;
  if (typeof value === "string") {
    if (value.includes("\0")) return "has a NUL";
    return value.isWellFormed() ? undefined : "is not well-formed Unicode";
  }
  if (typeof value === "number") {
    return Number.isSafeInteger(value) ? undefined : "is not a safe integer";
  }
  return "is neither text, integer, bytes nor null";
}
