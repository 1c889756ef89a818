/**
 * What a test needs besides npm: a database server, a client, a compiler. On a laptop its absence
 * skips the tests and says so in one line; where `PORTOLAN_REQUIRE` names it, as in continuous
 * integration, its absence is a failure.
 *
 *     const available = requirement("clients", Bun.which("skopeo") !== null, "skopeo (apt-get install skopeo)");
 *     describe.skipIf(!available)("skopeo", …);
 */
import { test } from "bun:test";

/** The names that stand in `PORTOLAN_REQUIRE`, separated by commas. */
export type RequirementName =
  | "postgres"
  | "clients"
  | "boto3"
  | "conformance"
  | "aws"
  | "crane"
  | "regctl"
  | "oras"
  | "helm"
  | "peers"
  | "strace"
  | "chromium"
  | "privileges";

const told = new Set<string>();

/**
 * True when the tests can run. Call it while a test file is loaded, not inside a test.
 *
 * @param hint what is missing and how to get it; printed once, behind `skipped: `
 */
export function requirement(name: RequirementName, available: boolean, hint: string): boolean {
  if (available) return true;
  if (isRequired(name)) {
    // A test of its own, so that the rest of the file still runs and reports.
    test(`PORTOLAN_REQUIRE names ${name}`, () => {
      throw new Error(`required but missing: ${hint}`);
    });
    return false;
  }
  if (!told.has(hint)) {
    told.add(hint);
    console.log(`skipped: ${hint}`);
  }
  return false;
}

function isRequired(name: RequirementName): boolean {
  const names = (process.env.PORTOLAN_REQUIRE ?? "").split(",").map((part) => part.trim());
  return names.includes(name);
}
