/** The command line as a whole. One file per command lies in commands/. */
import { Command, CommanderError } from "commander";
import { ConfigurationError } from "../runtime/configuration.ts";
import { version } from "../version.ts";
import { type CommandContext, CommandError } from "./command-context.ts";
import { addAccessCommand } from "./commands/access.ts";
import { addAccountCommand } from "./commands/account.ts";
import { addAuditCommand } from "./commands/audit.ts";
import { addChartCommand } from "./commands/chart.ts";
import { addCompletionCommand } from "./commands/completion.ts";
import { addConfigCommand } from "./commands/config.ts";
import { addEventsCommand } from "./commands/events.ts";
import { addGcCommand } from "./commands/gc.ts";
import { addMetadataCommand } from "./commands/metadata.ts";
import { addReplicationCommand } from "./commands/replication.ts";
import { addScrubCommand } from "./commands/scrub.ts";
import { addServeCommand, type Serve } from "./commands/serve.ts";
import { addVerifyCommand } from "./commands/verify.ts";
import { addVersionCommand } from "./commands/version.ts";
import type { OpenReplication, OpenStores } from "./stores.ts";

export interface ProgramParts {
  readonly serve: Serve;
  readonly openStores: OpenStores;
  readonly openReplication: OpenReplication;
}

export function createProgram(context: CommandContext, parts: ProgramParts): Command {
  const program = new Command("portolan")
    .description("A self-hosted container registry that lives in every region.")
    .version(version, "-V, --version", "print the version")
    .showHelpAfterError("(add --help for the options and examples)")
    .configureOutput({ writeOut: context.stdout, writeErr: context.stderr })
    .exitOverride()
    .addHelpText("after", "\nEvery command has examples: portolan <command> --help");
  addServeCommand(program, context, parts.serve);
  addChartCommand(program, context);
  addAccountCommand(program, context, parts.openStores);
  addAccessCommand(program, context, parts.openStores);
  addAuditCommand(program, context, parts.openStores);
  addMetadataCommand(program, context, parts.openStores);
  addGcCommand(program, context, parts.openStores);
  addScrubCommand(program, context, parts.openStores);
  addReplicationCommand(program, context, parts.openStores);
  addVerifyCommand(program, context, parts.openStores, parts.openReplication);
  addEventsCommand(program, context, parts.openStores);
  addConfigCommand(program, context);
  addCompletionCommand(program, context);
  addVersionCommand(program, context);
  // Options that are inherited by commands made before the settings above would be lost.
  for (const command of everyCommand(program)) command.copyInheritedSettings(program);
  return program;
}

/** The program and all its commands, depth first. */
export function* everyCommand(program: Command): Iterable<Command> {
  yield program;
  for (const command of program.commands) yield* everyCommand(command);
}

/** Runs a command line; every failure ends as a message and an exit code, never as a stack. */
export async function runProgram(
  commandLine: readonly string[],
  context: CommandContext,
  parts: ProgramParts,
): Promise<void> {
  try {
    await createProgram(context, parts).parseAsync([...commandLine], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) {
      // Help and version end here too, with 0; commander has written its message.
      if (error.exitCode !== 0) context.setExitCode(2);
      return;
    }
    if (error instanceof ConfigurationError) {
      context.stderr(`the configuration is not valid:\n${indented(error.message)}\n`);
      context.setExitCode(2);
      return;
    }
    context.stderr(`${messageOf(error)}\n`);
    context.setExitCode(error instanceof CommandError ? error.exitCode : 1);
  }
}

function indented(text: string): string {
  return text.replace(/^/gm, "  ");
}

/** The message and those of its causes. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.message || error.name;
  return error.cause === undefined ? own : `${own}\n  caused by: ${messageOf(error.cause)}`;
}
