/**
 * `npm run test:postgres`: every test that needs PostgreSQL, on the server that
 * `PORTOLAN_TEST_POSTGRES_URL` names, or else on a private one that is started for the run from the
 * distribution's packages and removed afterwards.
 *
 *     npm run test:postgres                        all files that need PostgreSQL's test support
 *     npm run test:postgres -- tests/contract      a folder or a file, and options of `bun test`
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { postgresPrograms, startPostgresServer } from "../tests/support/postgres-server.ts";
import { runTests } from "./run-tests.ts";

const root = join(import.meta.dir, "..");
const given = process.argv.slice(2);
const suites = given.length > 0 ? given : suitesThatNeedPostgres();
const url = process.env.PORTOLAN_TEST_POSTGRES_URL;

if (url !== undefined) {
  process.exit(await testOn(url));
}
const programs = postgresPrograms();
if (programs === undefined) {
  console.error("PostgreSQL is not installed: apt-get install postgresql");
  process.exit(1);
}
let exitCode = 1;
{
  await using server = await startPostgresServer(programs);
  console.log(`PostgreSQL of ${programs} on port ${server.port}, for this run`);
  exitCode = await testOn(server.url);
}
process.exit(exitCode);

/** Those that import, directly or through other files, a helper that yields a PostgreSQL. */
function suitesThatNeedPostgres(): string[] {
  return [...new Bun.Glob("{src,tests}/**/*.test.ts").scanSync({ cwd: root })]
    .filter((path) => needsPostgres(path, new Set()))
    .map((path) => `./${path}`)
    .sort();
}

function needsPostgres(path: string, seen: Set<string>): boolean {
  if (/support\/(?:metadata-stores|postgres-server)\.ts$/.test(path)) return true;
  if (seen.has(path)) return false;
  seen.add(path);
  const imports = readFileSync(join(root, path), "utf8").matchAll(/ from "(\.{1,2}\/[^"]+\.ts)"/g);
  return [...imports].some(([, target]) => needsPostgres(join(dirname(path), target ?? ""), seen));
}

function testOn(url: string): Promise<number> {
  return runTests({
    parameters: suites,
    environment: {
      PORTOLAN_TEST_POSTGRES_URL: url,
      PORTOLAN_REQUIRE: [process.env.PORTOLAN_REQUIRE, "postgres"].filter(Boolean).join(","),
    },
  });
}
