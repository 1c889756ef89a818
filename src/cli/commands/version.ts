/** `portolan version`. */
import type { Command } from "commander";
import { version } from "../../version.ts";
import type { CommandContext } from "../command-context.ts";

export function addVersionCommand(program: Command, context: CommandContext): void {
  program
    .command("version")
    .description("print the version of this program and of its runtime")
    .option("--json", "print JSON")
    .addHelpText("after", "\nExample:\n  $ portolan version --json")
    .action((options: { json?: true }) => {
      const description = {
        version,
        bun: Bun.version,
        platform: process.platform,
        architecture: process.arch,
      };
      context.stdout(
        options.json
          ? `${JSON.stringify(description)}\n`
          : `portolan ${version} (bun ${Bun.version}, ${process.platform} ${process.arch})\n`,
      );
    });
}
