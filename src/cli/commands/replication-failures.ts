/** `portolan replication failures`: what does not arrive, by cause. */
import type { Command } from "commander";
import { failureCodes, isFailureCode } from "../../replication/failure.ts";
import { type FailureGroup, replicationFailures } from "../../replication/steering.ts";
import { formatElapsed } from "../amounts.ts";
import type { CommandContext } from "../command-context.ts";
import { addConfigurationOptions, readConfiguration } from "../configuration-options.ts";
import {
  type DestinationOption,
  formatDestination,
  isSelected,
  parseDestination,
} from "../destinations.ts";
import { type OpenStores, withStores } from "../stores.ts";

interface FailuresOptions {
  readonly destination?: DestinationOption;
  readonly json?: true;
}

export function addReplicationFailuresCommand(
  parent: Command,
  context: CommandContext,
  open: OpenStores,
): void {
  const command = parent
    .command("failures")
    .description("what has failed or is tried again after a failure, by cause")
    .option("--destination <region[/account]>", "only this one", parseDestination)
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ portolan replication failures --config chart/us-east-1/portolan.yaml
  When the cause is gone:
    $ portolan replication retry --code tag_immutable --config chart/us-east-1/portolan.yaml`,
    );
  addConfigurationOptions(command).action(
    async (options: FailuresOptions & Record<string, unknown>) => {
      const { configuration } = await readConfiguration(options, context);
      await withStores(configuration, context, open, async ({ metadata }) => {
        const groups = (await replicationFailures(metadata.read)).filter(({ destination }) =>
          isSelected(destination, options.destination),
        );
        if (options.json) context.stdout(`${JSON.stringify(groups)}\n`);
        else if (groups.length === 0) context.stdout("Nothing has failed.\n");
        else {
          const now = context.clock.now();
          context.stdout(groups.map((group) => groupText(group, now)).join("\n"));
        }
      });
    },
  );
}

function groupText(group: FailureGroup, now: number): string {
  const { destination, code, side, state, images, examples } = group;
  const meaning = isFailureCode(code) ? failureCodes[code].meaning : "";
  const then = state === "failed" ? "failed for good" : "tried again by itself";
  const ago = formatElapsed(Math.max(0, now - group.lastFailedAt));
  return [
    `${formatDestination(destination)}  ${code}  ${images} ${images === 1 ? "image" : "images"}, ${then}; the last ${ago} ago`,
    `  Look at the ${side}: ${meaning}`,
    ...examples.map(
      ({ id, image, attempts, text }) => `  ${id}  ${image}  attempt ${attempts}: ${text}`,
    ),
    ...(images > examples.length ? [`  … and ${images - examples.length} more`] : []),
    "",
  ].join("\n");
}
