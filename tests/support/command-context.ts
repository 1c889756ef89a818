/** Runs a command line of the program inside the test's own process, and keeps what it printed. */
import type { CommandContext } from "../../src/cli/command-context.ts";
import type { CommandConfiguration } from "../../src/cli/configuration-options.ts";
import { runProgram } from "../../src/cli/program.ts";
import { openExistingRegistry } from "../../src/open-registry.ts";
import { openCommandReplication } from "../../src/region-replication.ts";
import { systemClock, systemRandom } from "../../src/runtime/clock.ts";
import { metricsRegistry } from "../../src/runtime/metrics.ts";

export interface CommandOutcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What `serve` was called with. */
  readonly served: readonly CommandConfiguration[];
}

export async function runCommandLine(
  commandLine: readonly string[],
  workingDirectory: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<CommandOutcome> {
  let exitCode = 0;
  let stdout = "";
  let stderr = "";
  const served: CommandConfiguration[] = [];
  const context: CommandContext = {
    environment,
    workingDirectory,
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
    interactive: false,
    clock: systemClock,
    random: systemRandom,
    interruption: () => new AbortController().signal,
    setExitCode: (code) => {
      exitCode = code;
    },
  };
  await runProgram(commandLine, context, {
    serve: async (configuration) => {
      served.push(configuration);
    },
    openStores: (configuration) =>
      openExistingRegistry({
        configuration,
        clock: systemClock,
        random: systemRandom,
        monotonicNow: () => performance.now(),
        metrics: metricsRegistry(),
        observers: [],
      }),
    openReplication: openCommandReplication,
  });
  return { exitCode, stdout, stderr, served };
}
