/** `portolan serve`: runs one region until it is told to stop. */
import type { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import {
  addConfigurationOptions,
  type CommandConfiguration,
  readConfiguration,
} from "../configuration-options.ts";

/** Starts the region and returns when it has stopped. */
export type Serve = (configuration: CommandConfiguration) => Promise<void>;

export function addServeCommand(program: Command, context: CommandContext, serve: Serve): void {
  const command = program
    .command("serve")
    .description("run a region: the registry, its API and its replication")
    .addHelpText(
      "after",
      `
Flags override the environment (PORTOLAN_REGION, PORTOLAN_LIMITS_IDLE …), which overrides the file.
SIGTERM and SIGINT finish what is in flight, a second one does not wait; SIGHUP reads the
certificate again.

Examples:
  A registry on this machine; its root credentials are printed at the first start:
    $ portolan serve
  One region of an installation that \`portolan chart init\` wrote:
    $ portolan serve --config chart/us-east-1/portolan.yaml
  Without a file:
    $ portolan serve --region us-east-1 --listen 127.0.0.1:5001 --data /var/lib/portolan \\
        --account 111122223333 --set limits.idle=2m`,
    );
  addConfigurationOptions(command).action(async (options: Record<string, unknown>) =>
    serve(await readConfiguration(options, context)),
  );
}
