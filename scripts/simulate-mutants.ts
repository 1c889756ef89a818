/**
 * Breaks the engine in every way of tests/simulation/mutants.ts, each in a copy of its own, and tells
 * how many seeds the simulator needs to notice.
 *
 *   npm run sim:mutants                      all
 *   npm run sim:mutants -- no-fencing        by name
 *   npm run sim:mutants -- --seeds 2000
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Mutant, mutants } from "../tests/simulation/mutants.ts";

const { values, positionals } = parseArgs({
  options: { seeds: { type: "string", default: "2000" } },
  allowPositionals: true,
});
const root = join(import.meta.dir, "..");
const chosen = mutants.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
const waiting = [...chosen];
let survived = 0;
await Promise.all(
  Array.from({ length: availableParallelism() }, async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const outcome = await hunt(next);
      if (!outcome.caught) survived++;
      console.log(
        `${next.name.padEnd(24)} ${outcome.caught ? `caught by seed ${String(outcome.seed).padStart(4)}` : "SURVIVED"}   ${next.why}${outcome.caught ? `: ${outcome.violation}` : ""}`,
      );
    }
  }),
);
// A line that continuous integration counts.
console.log(`${chosen.length - survived} passed, ${survived} failed, 0 skipped`);
process.exit(survived === 0 ? 0 : 1);

interface Outcome {
  readonly caught: boolean;
  readonly seed?: number;
  readonly violation?: string;
}

async function hunt(mutant: Mutant): Promise<Outcome> {
  const directory = mkdtempSync(join(tmpdir(), "portolan-mutant-"));
  try {
    for (const part of [
      "src",
      "tests/simulation",
      "tests/support",
      "scripts/simulate.ts",
      "package.json",
      "tsconfig.json",
    ]) {
      cpSync(join(root, part), join(directory, part), { recursive: true });
    }
    symlinkSync(join(root, "node_modules"), join(directory, "node_modules"));
    const file = join(directory, mutant.file);
    const text = readFileSync(file, "utf8");
    if (text.split(mutant.find).length !== 2) {
      throw new Error(`${mutant.name}: its text is not there exactly once in ${mutant.file}`);
    }
    writeFileSync(
      file,
      text.replace(mutant.find, () => mutant.replace),
    );
    const child = Bun.spawn(
      [
        ...[process.execPath, join(directory, "scripts/simulate.ts"), "--processes", "1"],
        ...["--seeds", values.seeds, "--until-failure"],
      ],
      { cwd: directory, stdout: "pipe", stderr: "ignore" },
    );
    const output = await new Response(child.stdout).text();
    await child.exited;
    const found = /^seed (\d+): (.*)$/m.exec(output);
    if (found === null) return { caught: false };
    return { caught: true, seed: Number(found[1]), violation: (found[2] ?? "").slice(0, 120) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
