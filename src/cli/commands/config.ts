/** `portolan config`: what the configuration comes to, and whether it would work. */
import type { Command } from "commander";
import { stringify } from "yaml";
import {
  configurationEntries,
  type EntryTree,
  isEntry,
} from "../../runtime/configuration-entries.ts";
import { checkInstallationFiles } from "../../runtime/installation-files.ts";
import { type CommandContext, CommandError } from "../command-context.ts";
import {
  addConfigurationOptions,
  type CommandConfiguration,
  readConfiguration,
} from "../configuration-options.ts";

const hidden = "(hidden)";

export function addConfigCommand(program: Command, context: CommandContext): void {
  const config = program
    .command("config")
    .description("print the effective configuration, secrets hidden")
    .option("--json", "print JSON, with the origin of every value")
    .addHelpText(
      "after",
      `
Examples:
  What would serve run with, and where does each value come from?
    $ portolan config --config chart/us-east-1/portolan.yaml --set log.level=debug
  Is it right, down to the keys and certificates?
    $ portolan config check --config chart/us-east-1/portolan.yaml`,
    );
  addConfigurationOptions(config).action(async (options: Record<string, unknown>) => {
    const resolved = await readConfiguration(options, context);
    context.stdout(options.json === true ? asJson(resolved) : asYaml(resolved));
  });
  const check = config
    .command("check")
    .description(
      "check the configuration and the files that it names; exit code 1 when one is wrong",
    )
    .addHelpText("after", "\nExample:\n  $ portolan config check --config portolan.yaml");
  addConfigurationOptions(check).action(async (options: Record<string, unknown>, self: Command) => {
    // `portolan config --config X check` says the same as `portolan config check --config X`.
    const resolved = await readConfiguration({ ...self.parent?.opts(), ...options }, context);
    const { problems, warnings } = await checkInstallationFiles(resolved.configuration);
    for (const warning of warnings) context.stderr(`warning: ${warning}\n`);
    if (problems.length > 0) throw new CommandError(problems.join("\n"));
    context.stdout(`${resolved.file ?? "the configuration"} is valid\n`);
  });
}

/** As a portolan.yaml would say it, with the origin of what is no default. */
function asYaml(resolved: CommandConfiguration): string {
  const lines: string[] = [];
  walk(configurationEntries, resolved.configuration, "", 0);
  return `${lines.join("\n")}\n`;

  function walk(tree: EntryTree, values: object, prefix: string, depth: number): void {
    const indent = "  ".repeat(depth);
    for (const [key, node] of Object.entries(tree)) {
      const path = prefix === "" ? key : `${prefix}.${key}`;
      const value: unknown = (values as Record<string, unknown>)[key];
      if (!isEntry(node)) {
        lines.push(`${indent}${key}:`);
        walk(node, value as object, path, depth + 1);
        continue;
      }
      const origin = resolved.origins.get(path);
      if (value === undefined) lines.push(`${indent}# ${key}: not set`);
      else if (Array.isArray(value)) {
        const text = stringify({ [key]: value }).trimEnd();
        lines.push(text.replace(/^/gm, indent));
      } else {
        const plain = typeof value === "boolean" || typeof value === "number";
        const shown = node.secret ? hidden : plain ? value : node.type.format(value);
        const comment = origin === undefined ? "" : `  # ${origin}`;
        // What a file may not say is shown, and not said.
        const mark = node.only === "environment" ? "# " : "";
        lines.push(`${indent}${mark}${stringify({ [key]: shown }).trimEnd()}${comment}`);
      }
    }
  }
}

function asJson(resolved: CommandConfiguration): string {
  const shown = (tree: EntryTree, values: object): object =>
    Object.fromEntries(
      Object.entries(tree).map(([key, node]) => {
        const value: unknown = (values as Record<string, unknown>)[key];
        if (!isEntry(node)) return [key, shown(node, value as object)];
        return [key, value === undefined ? null : node.secret ? hidden : value];
      }),
    );
  const document = {
    file: resolved.file ?? null,
    configuration: shown(configurationEntries, resolved.configuration),
    origins: Object.fromEntries(resolved.origins),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
