/**
 * `npm test`: the suites that need npm alone and end in minutes. Those that need a client, or take
 * long, have commands of their own (test:clients, test:console, test:chaos, test:postgres).
 *
 *     npm test                                   everything
 *     npm test -- src/oci                        a folder or a file
 *     npm test -- --test-name-pattern digest     any other option of `bun test`
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { runTests } from "./run-tests.ts";

/** Folders of tests/ that have commands of their own. */
const separate = new Set(["clients", "chaos", "console"]);
const root = join(import.meta.dir, "..");

const given = process.argv.slice(2);
const hasPaths = given.some((argument, index) => {
  return !argument.startsWith("-") && !given[index - 1]?.startsWith("-");
});
process.exit(
  await runTests({
    // A process per core: files are isolated, so the order in which they run does not matter. The
    // time limit is for what hangs: on a loaded machine a sound test takes many times as long.
    parameters: [
      "--parallel",
      "--only-failures",
      "--timeout=120000",
      ...(hasPaths ? [] : suites()),
      ...given,
    ],
  }),
);

function suites(): string[] {
  const tests = readdirSync(join(root, "tests"), { withFileTypes: true })
    .filter((entry) =>
      entry.isDirectory() ? !separate.has(entry.name) : /\.test\.ts$/.test(entry.name),
    )
    .map((entry) => `./tests/${entry.name}`);
  return ["./src", "./examples", "./scripts", ...tests];
}
