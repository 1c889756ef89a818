/** The flags by which a command takes its configuration, and the reading of it. */
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { type ResolvedConfiguration, resolveConfiguration } from "../runtime/configuration.ts";
import { namedEntries } from "../runtime/configuration-entries.ts";
import { type CommandContext, CommandError } from "./command-context.ts";

export const configurationFileName = "portolan.yaml";

/** Adds `--config`, the flags of the entries, and `--set`. */
export function addConfigurationOptions(command: Command): Command {
  command.option(
    "-c, --config <file>",
    `configuration file (default: PORTOLAN_CONFIG, else ./${configurationFileName} when it exists)`,
  );
  for (const { flag, entry } of namedEntries()) {
    if (flag === undefined || entry.flag === undefined) continue;
    const summary = firstSentence(entry.description);
    const fallback =
      entry.default === undefined ? "" : ` (default: ${entry.type.format(entry.default)})`;
    command.option(`--${flag} <${entry.flag.value}>`, summary + fallback);
  }
  return command.option(
    "--set <path=value>",
    "any other entry of the configuration, such as limits.idle=2m; may be repeated",
    (value: string, previous: readonly string[] = []) => [...previous, value],
  );
}

function firstSentence(text: string): string {
  const end = text.indexOf(". ");
  const sentence = (end < 0 ? text : text.slice(0, end)).replace(/\.$/, "");
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}

export interface CommandConfiguration extends ResolvedConfiguration {
  /** Absolute; undefined when there is none. */
  readonly file: string | undefined;
}

/** @throws {ConfigurationError | CommandError} */
export async function readConfiguration(
  options: Readonly<Record<string, unknown>>,
  context: CommandContext,
): Promise<CommandConfiguration> {
  const named =
    stringOption(options, "config") ?? (context.environment.PORTOLAN_CONFIG || undefined);
  const file = await readConfigurationFile(named, context.workingDirectory);
  const flags: Record<string, string> = {};
  for (const { path, flag } of namedEntries()) {
    const value = flag === undefined ? undefined : stringOption(options, camelCase(flag));
    if (value !== undefined) flags[path] = value;
  }
  const assignments = Array.isArray(options.set) ? options.set.map(String) : [];
  const resolved = resolveConfiguration({
    flags,
    assignments,
    environment: context.environment,
    workingDirectory: context.workingDirectory,
    ...(file === undefined ? {} : { file }),
  });
  return {
    ...resolved,
    file: file === undefined ? undefined : resolve(context.workingDirectory, file.path),
  };
}

async function readConfigurationFile(
  named: string | undefined,
  workingDirectory: string,
): Promise<{ path: string; text: string } | undefined> {
  const path = named ?? configurationFileName;
  try {
    return { path, text: await readFile(resolve(workingDirectory, path), "utf8") };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (named === undefined && code === "ENOENT") return undefined;
    if (code === "EISDIR") {
      throw new CommandError(
        `${path} is a directory; did you mean ${join(path, configurationFileName)}?`,
        2,
      );
    }
    throw new CommandError(`the configuration ${path} cannot be read (${code ?? "unknown"})`, 2);
  }
}

function stringOption(
  options: Readonly<Record<string, unknown>>,
  name: string,
): string | undefined {
  const value = options[name];
  return typeof value === "string" ? value : undefined;
}

function camelCase(flag: string): string {
  return flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
