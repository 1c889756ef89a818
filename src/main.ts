#!/usr/bin/env bun
/** The executable: the only file that touches the process as a whole. Nothing imports it. */
import { writeSync } from "node:fs";
import { join } from "node:path";
import type { CommandContext } from "./cli/command-context.ts";
import type { CommandConfiguration } from "./cli/configuration-options.ts";
import { runProgram } from "./cli/program.ts";
import { type OpenRegistry, openExistingRegistry } from "./open-registry.ts";
import { openCommandReplication } from "./region-replication.ts";
import { systemClock, systemRandom } from "./runtime/clock.ts";
import type { Configuration } from "./runtime/configuration-entries.ts";
import { formatListenAddress } from "./runtime/configuration-values.ts";
import { type LogOutput, openLog } from "./runtime/logger.ts";
import { metricsRegistry } from "./runtime/metrics.ts";
import { formatRootCredentials, writeSecretFile } from "./runtime/secret-files.ts";
import { type Region, startRegion } from "./start-region.ts";
import { version } from "./version.ts";

const startedAt = performance.now();

const context: CommandContext = {
  environment: process.env,
  workingDirectory: process.cwd(),
  stdout: (text) => writeAll(1, text),
  stderr: (text) => writeAll(2, text),
  interactive: process.stdout.isTTY === true,
  clock: systemClock,
  random: systemRandom,
  interruption() {
    const interrupted = new AbortController();
    process.on("SIGINT", () => {
      if (interrupted.signal.aborted) process.exit(130);
      interrupted.abort();
    });
    return interrupted.signal;
  },
  setExitCode: (code) => {
    process.exitCode = code;
  },
};

/** At once, so that nothing is lost when the process ends. */
function writeAll(descriptor: number, text: string): void {
  const bytes = Buffer.from(text);
  try {
    for (let offset = 0; offset < bytes.length; ) offset += writeSync(descriptor, bytes, offset);
  } catch (error) {
    // `portolan … | head`: the reader has read enough.
    if ((error as NodeJS.ErrnoException).code !== "EPIPE") throw error;
  }
}

async function serve({ configuration, file }: CommandConfiguration): Promise<void> {
  const log = openLog({
    level: configuration.log.level,
    descriptor: 1,
    now: () => systemClock.now(),
  });
  process.on("exit", () => log.flush());
  for (const event of ["uncaughtException", "unhandledRejection"] as const) {
    process.on(event, (error: unknown) => {
      log.logger.error({ error }, event === "uncaughtException" ? "uncaught" : "unhandled");
      // The state is not known any more. Every acknowledged change is durable: end, and start anew.
      process.exit(70);
    });
  }
  const stopped = listenForSignals(log);
  const region = await startRegion({
    configuration,
    clock: systemClock,
    random: systemRandom,
    monotonicNow: () => performance.now(),
    log,
  });
  await announce(region, configuration.data, file, log);
  await stopped.until(region);
  await region.stop();
  log.logger.info({ region: region.name }, "stopped");
  log.flush();
}

interface Stopping {
  until(region: Region): Promise<void>;
}

/** SIGTERM and SIGINT stop, a second one at once; SIGHUP reads the certificate again. */
function listenForSignals(log: LogOutput): Stopping {
  const { promise, resolve } = Promise.withResolvers<void>();
  let region: Region | undefined;
  let signals = 0;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      signals++;
      if (signals > 1) {
        log.logger.warn({ signal }, "stopped without waiting");
        process.exit(1);
      }
      log.logger.info({ signal }, "told to stop");
      resolve();
    });
  }
  process.on("SIGHUP", () => {
    region?.reload().catch((error: unknown) => {
      log.logger.error({ error }, "the certificate cannot be used; the old one stays");
    });
  });
  return {
    until(running) {
      region = running;
      return promise;
    },
  };
}

/** One line of JSON for machines, one for people, and credentials only ever for people. */
async function announce(
  region: Region,
  data: string,
  file: string | undefined,
  log: LogOutput,
): Promise<void> {
  const listen = formatListenAddress(region.address);
  const made = region.generatedRootCredentials;
  if (made !== undefined && !context.interactive) {
    // Standard output ends in somebody's log, and no secret goes there.
    const path = join(data, "root-credentials");
    await writeSecretFile(path, formatRootCredentials(made));
    log.logger.info({ region: region.name, path }, "root credentials made");
  }
  log.logger.info(
    {
      region: region.name,
      endpoint: region.endpoint,
      listen,
      version,
      configuration: file ?? null,
      startMilliseconds: Math.round(performance.now() - startedAt),
    },
    "ready",
  );
  log.flush();
  if (!context.interactive) return;
  if (made !== undefined) {
    context.stderr(
      `\nRoot credentials, shown only this once:\n  access key id      ${made.accessKeyId}\n  secret access key  ${made.secretAccessKey}\n`,
    );
  }
  context.stderr(
    `\nPortolan ${version}: region ${region.name} at ${region.endpoint} (listens on ${listen})\n`,
  );
}

function openStores(configuration: Configuration): Promise<OpenRegistry> {
  return openExistingRegistry({
    configuration,
    clock: systemClock,
    random: systemRandom,
    monotonicNow: () => performance.now(),
    metrics: metricsRegistry(),
    observers: [],
  });
}

await runProgram(process.argv.slice(2), context, {
  serve,
  openStores,
  openReplication: openCommandReplication,
});
// Everything is written; what may still be open, such as a connection beyond the deadline, is not
// waited for.
process.exit();
