/**
 * `npm run test:chaos`: real processes killed under load, and the power cut under a real server
 * (which needs strace).
 */
import { runTests } from "./run-tests.ts";

const given = process.argv.slice(2);
process.exit(await runTests({ parameters: ["./tests/chaos", ...given] }));
