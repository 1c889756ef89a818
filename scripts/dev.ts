/**
 * `npm run dev`: three regions in one process that stay until Ctrl-C, with everything pushed to one
 * replicated to the others. Their chart, data and logs are kept in `.portolan/dev`.
 *
 *     npm run dev
 *     npm run dev -- --first-port 6001 --directory /tmp/ports
 */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { CommandContext } from "../src/cli/command-context.ts";
import { readConfiguration } from "../src/cli/configuration-options.ts";
import { runProgram } from "../src/cli/program.ts";
import { StartError } from "../src/open-registry.ts";
import { systemClock, systemRandom } from "../src/runtime/clock.ts";
import type { LogOutput } from "../src/runtime/logger.ts";
import { readRootCredentials } from "../src/runtime/secret-files.ts";
import { type Region, startRegion } from "../src/start-region.ts";
import { developmentLog } from "./dev/development-log.ts";
import { instructions } from "./dev/instructions.ts";
import { replicateEverything } from "./dev/replicate-everything.ts";

const names = ["us-east-1", "eu-west-1", "sa-east-1"] as const;
const account = "111122223333";

const { values } = parseArgs({
  options: {
    directory: { type: "string", default: ".portolan/dev" },
    "first-port": { type: "string" },
  },
});
const firstPort = Number(values["first-port"] ?? 5001);
if (!Number.isInteger(firstPort) || firstPort < 1 || firstPort > 65_533) {
  console.error(`--first-port ${values["first-port"]}: expected a number from 1 to 65533`);
  process.exit(2);
}
const directory = resolve(values.directory);
const configurationOf = (name: string) => join(directory, name, "portolan.yaml");

const context: CommandContext = {
  // Settings for a single region would be taken by all three.
  environment: Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith("PORTOLAN_")),
  ),
  workingDirectory: process.cwd(),
  stdout: () => {},
  stderr: (text) => void process.stderr.write(text),
  interactive: false,
  clock: systemClock,
  random: systemRandom,
  interruption: () => new AbortController().signal,
  setExitCode: (code) => process.exit(code),
};

if (
  values["first-port"] !== undefined ||
  !names.every((name) => existsSync(configurationOf(name)))
) {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const regions = names.map((name, index) => `${name}=http://localhost:${firstPort + index}`);
  await runProgram(
    // With --force configurations are written anew; keys and credentials that exist are kept.
    ["chart", "init", ...regions, "--account", account, "--out", directory, "--force"],
    context,
    {
      serve: async () => {},
      openStores: () => Promise.reject(new Error("not opened here")),
      openReplication: () => Promise.reject(new Error("not opened here")),
    },
  );
}

const running: { readonly region: Region; readonly log: LogOutput }[] = [];
let stopping = false;
let announced = false;

async function stop(exitCode: number): Promise<never> {
  // The second Ctrl-C does not wait for transfers in flight.
  if (stopping) process.exit(1);
  stopping = true;
  await Promise.all(running.map(({ region }) => region.stop()));
  for (const { log } of running) log.flush();
  process.exit(exitCode);
}
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    console.log("\nstopping; what is in flight is finished (Ctrl-C again does not wait)");
    void stop(0);
  });
}

try {
  for (const name of names) {
    const { configuration } = await readConfiguration({ config: configurationOf(name) }, context);
    const path = join(directory, `${name}.log`);
    const log = developmentLog(name, path, configuration.log.level, () => announced);
    const region = await startRegion({
      configuration,
      clock: systemClock,
      random: systemRandom,
      monotonicNow: () => performance.now(),
      log,
    });
    running.push({ region, log });
  }
  const regions = running.map(({ region }) => region);
  const credentialsFile = join(directory, names[0], "root-credentials");
  const credentials = await readRootCredentials(credentialsFile);
  await replicateEverything(regions, account, credentials);
  console.log(instructions({ regions, credentials, credentialsFile, directory }));
  announced = true;
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  if (error instanceof StartError) console.error("other ports: npm run dev -- --first-port 6001");
  await stop(1);
}
