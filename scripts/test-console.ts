/**
 * `npm run test:console`: the console in a real Chromium, against real regions. Without a Chromium
 * that is told in one line and skipped; with `PORTOLAN_REQUIRE=chromium` its absence is a failure.
 *
 *     npm run test:console
 *     PORTOLAN_SCREENSHOTS=1 npm run test:console    takes the pictures of docs/guides anew
 */
import { runTests } from "./run-tests.ts";

const given = process.argv.slice(2);
const hasPaths = given.some((argument) => !argument.startsWith("-"));
process.exit(await runTests({ parameters: [...(hasPaths ? [] : ["./tests/console"]), ...given] }));
