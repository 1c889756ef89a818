/**
 * `npm run test:simulation`: the range of seeds that continuous integration runs, and every way of
 * breaking the engine. The last line is counted.
 */
import { availableParallelism } from "node:os";
import { join } from "node:path";

const seeds = Number(process.env.PORTOLAN_TEST_SEEDS ?? 2000);
const root = join(import.meta.dir, "..");
const run = (script: string, ...parameters: string[]) =>
  Bun.spawn([process.execPath, join(root, "scripts", script), ...parameters], {
    cwd: root,
    stdout: "pipe",
    stderr: "inherit",
  });

console.log(`${seeds} seeds on ${availableParallelism()} processors`);
const simulation = run("simulate.ts", "--seeds", String(seeds));
const printed = await new Response(simulation.stdout).text();
process.stdout.write(printed);
await simulation.exited;
const failed = printed.match(/^seed \d+: /gm)?.length ?? 0;
const broken = simulation.exitCode !== 0 && failed === 0 ? 1 : failed;

const mutants = run("simulate-mutants.ts");
const caught = await new Response(mutants.stdout).text();
process.stdout.write(caught.replace(/^\d+ passed, .*\n/m, ""));
await mutants.exited;
const [, passedMutants = "0", survivors = "0"] = /^(\d+) passed, (\d+) failed/m.exec(caught) ?? [];
const lost = mutants.exitCode !== 0 && survivors === "0" ? 1 : Number(survivors);
console.log(`${seeds - failed + Number(passedMutants)} passed, ${broken + lost} failed, 0 skipped`);
process.exit(broken + lost === 0 ? 0 : 1);
