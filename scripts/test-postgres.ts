/**
 * `npm run test:postgres`: every test that needs PostgreSQL, on the server that
 * `PORTOLAN_TEST_POSTGRES_URL` names, or else on a private one that is started for the run from the
 * distribution's packages and removed afterwards. Arguments are passed to `bun test`.
 */
import { spawn } from "node:child_process";
import { postgresPrograms, startPostgresServer } from "../tests/support/postgres-server.ts";

const suites = process.argv.slice(2);
const given = process.env.PORTOLAN_TEST_POSTGRES_URL;

if (given !== undefined) {
  process.exit(await runTests(given));
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
  exitCode = await runTests(server.url);
}
process.exit(exitCode);

/** Everything: which files look at PostgreSQL is their own affair, and `requirement` checks it. */
function runTests(url: string): Promise<number> {
  const tests = spawn(process.execPath, ["test", ...suites], {
    stdio: "inherit",
    env: {
      ...process.env,
      PORTOLAN_TEST_POSTGRES_URL: url,
      PORTOLAN_REQUIRE: [process.env.PORTOLAN_REQUIRE, "postgres"].filter(Boolean).join(","),
    },
  });
  // An interrupt from the terminal reaches the tests as well; wait for them, then clean up.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => tests.kill(signal));
  return new Promise((resolve) => {
    tests.once("exit", (code, signal) => resolve(code ?? (signal === null ? 1 : 130)));
  });
}
