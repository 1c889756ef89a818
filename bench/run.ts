/**
 * Measures Portolan beside the registries written in Go, in one run on one machine: rounds
 * alternate between the servers, medians are printed with their ratios.
 *
 *   npm run bench                            all servers that are installed
 *   npm run bench -- --rounds 5 --directory DIR --only manifest --json
 *
 * docker-registry comes from Debian's packages; `registry` (distribution 3) and `zot` are found on
 * the PATH or in the directory PORTOLAN_TOOLS.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { scenarios } from "./scenarios.ts";
import { type BenchServer, distribution, portolan, type StartServer, zot } from "./server.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    directory: { type: "string", default: tmpdir() },
    only: { type: "string", default: "" },
    json: { type: "boolean", default: false },
  },
});

const path = `${process.env.PATH}:${process.env.PORTOLAN_TOOLS ?? ""}`;
const find = (name: string) => Bun.which(name, { PATH: path });
const candidates: [string, string | null, (executable: string) => StartServer][] = [
  ["docker-registry 2.8", find("docker-registry"), (e) => distribution("docker-registry 2.8", e)],
  ["distribution 3", find("registry"), (e) => distribution("distribution 3", e)],
  ["zot", find("zot"), zot],
];

const root = await mkdtemp(join(values.directory, "portolan-bench-"));
const rounds = Number(values.rounds);
const results: Record<string, Record<string, { median: number; all: number[]; note: string }>> = {};
const servers: BenchServer[] = [];
try {
  servers.push(await portolan(join(root, "portolan")));
  for (const [name, executable, start] of candidates) {
    if (executable === null) console.error(`not measured: ${name} (not installed)`);
    else servers.push(await start(executable)(join(root, name.replaceAll(" ", "-"))));
  }
  for (const scenario of scenarios(join(root, "scratch"))) {
    if (!scenario.name.includes(values.only)) continue;
    const measured = new Map(servers.map((server) => [server, { all: [] as number[], note: "" }]));
    for (const server of servers) await scenario.prepare(server);
    const limits: number[] = [];
    for (let round = 0; round < rounds; round++) {
      if (scenario.limit !== undefined) limits.push(await scenario.limit.measure());
      for (const [server, samples] of measured) {
        const { value, note } = await scenario.run(server, round);
        samples.all.push(value);
        samples.note = note ?? "";
      }
    }
    results[scenario.name] = Object.fromEntries(
      [...measured].map(([server, { all, note }]) => [
        server.name,
        { median: median(all), all, note },
      ]),
    );
    if (scenario.limit !== undefined) {
      results[scenario.name] = {
        ...results[scenario.name],
        [scenario.limit.name]: { median: median(limits), all: limits, note: "" },
      };
    }
    if (!values.json) report(scenario.name, scenario.unit, scenario.bar);
  }
  if (values.json) console.log(JSON.stringify(results, undefined, 2));
  else console.log(`\n${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)}, ${rounds} rounds`);
} finally {
  for (const server of servers) await server.stop();
  await rm(root, { recursive: true, force: true });
}

function median(samples: number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function report(name: string, unit: string, bar: number): void {
  const row = results[name] ?? {};
  const ours = row.portolan?.median ?? Number.NaN;
  console.log(`\n${name} (${unit})`);
  for (const [server, { median, note }] of Object.entries(row)) {
    const ratio = server === "portolan" ? "" : `portolan is ${(ours / median).toFixed(2)} times`;
    const verdict =
      server === "docker-registry 2.8"
        ? `bar ${bar}: ${ours / median >= bar ? "met" : "MISSED"}`
        : "";
    console.log(
      `  ${server.padEnd(22)}${median.toFixed(0).padStart(8)}  ${ratio.padEnd(26)} ${verdict} ${note}`,
    );
  }
}
