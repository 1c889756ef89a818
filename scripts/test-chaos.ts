/** `npm run test:chaos`: real processes killed under load, tests/chaos. */
import { runTests } from "./run-tests.ts";

const given = process.argv.slice(2);
process.exit(await runTests({ parameters: ["./tests/chaos", ...given] }));
