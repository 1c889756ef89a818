/**
 * `npm run test:chaos`: real processes killed under load. The power-cut test needs strace and a
 * patient machine, and is asked for by name: `npm run test:power-cut`.
 */
import { runTests } from "./run-tests.ts";

const given = process.argv.slice(2);
process.exit(await runTests({ parameters: ["./tests/chaos/kill.test.ts", ...given] }));
