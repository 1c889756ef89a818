/**
 * The simulator of replication: whole regions with faults in virtual time, a run for each seed.
 *
 *   npm run sim -- --seed 42               one run, with its whole trace
 *   npm run sim -- --seeds 2000            many, from 1 on
 *   npm run sim -- --from 5000 --seeds 100
 *   npm run sim -- --seeds 2000 --until-failure
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { simulate } from "../tests/simulation/simulate.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    seeds: { type: "string", default: "200" },
    from: { type: "string", default: "1" },
    step: { type: "string", default: "1" },
    "until-failure": { type: "boolean", default: false },
    processes: { type: "string", default: String(availableParallelism()) },
    quiet: { type: "boolean", default: false },
  },
});

if (values.seed !== undefined) {
  const run = await simulate(Number(values.seed), { keepTrace: true });
  console.log(run.trace.join("\n"));
  console.log(JSON.stringify(run.faults, null, 2));
  console.log(
    `seed ${run.seed}: ${run.events} events, ${run.pushes} acknowledged, ${run.crashes} crashes, ${(run.virtualMilliseconds / 60_000).toFixed(1)} virtual minutes, hash ${run.hash}`,
  );
  console.log(run.violation === undefined ? "nothing is wrong" : `VIOLATION ${run.violation}`);
  process.exit(run.violation === undefined ? 0 : 1);
}

const from = Number(values.from);
const count = Number(values.seeds);
const step = Number(values.step);
const processes = step > 1 ? 1 : Math.min(Number(values.processes), count);
const begin = performance.now();
let failed = 0;

if (processes > 1) {
  const children = Array.from({ length: processes }, (_, i) =>
    Bun.spawn(
      [
        ...[process.execPath, import.meta.path, "--step", String(processes), "--quiet"],
        ...["--from", String(from + i), "--seeds", String(Math.ceil((count - i) / processes))],
        ...(values["until-failure"] ? ["--until-failure"] : []),
      ],
      { stdout: "pipe", stderr: "inherit" },
    ),
  );
  await Promise.all(
    children.map(async (child) => {
      let text = "";
      for await (const chunk of child.stdout) {
        text += new TextDecoder().decode(chunk);
        const lines = text.split("\n");
        text = lines.pop() ?? "";
        for (const line of lines) if (line !== "") console.log(line);
      }
      if ((await child.exited) === 0) return;
      failed++;
      if (values["until-failure"]) for (const other of children) other.kill();
    }),
  );
} else {
  for (let i = 0; i < count; i++) {
    const seed = from + i * step;
    const run = await simulate(seed);
    if (run.violation === undefined) continue;
    failed++;
    console.log(`seed ${seed}: ${run.violation}\n  npm run sim -- --seed ${seed}`);
    if (values["until-failure"]) break;
  }
}
if (!values.quiet) {
  const seconds = (performance.now() - begin) / 1000;
  console.log(
    `${count} seeds from ${from} in ${seconds.toFixed(1)} s: ${failed === 0 ? "nothing is wrong" : "VIOLATIONS above"}`,
  );
}
process.exit(failed === 0 ? 0 : 1);
