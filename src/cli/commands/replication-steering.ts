/** `portolan replication retry`, `pause` and `resume`. */
import type { Command } from "commander";
import { rootPrincipal } from "../../access/credentials.ts";
import { pauseDestination, resumeDestination } from "../../replication/pauses.ts";
import { retryReplications } from "../../replication/steering.ts";
import type { Configuration } from "../../runtime/configuration-entries.ts";
import { type CommandContext, CommandError } from "../command-context.ts";
import { addConfigurationOptions, readConfiguration } from "../configuration-options.ts";
import { type DestinationOption, parseDestination } from "../destinations.ts";
import { type OpenStores, withStores } from "../stores.ts";

interface RetryOptions {
  readonly destination?: DestinationOption;
  readonly code?: string;
  readonly repository?: string;
  readonly json?: true;
}

interface SteerOptions {
  readonly destination: DestinationOption;
  readonly json?: true;
}

const idsLimit = 500;

export function addReplicationSteeringCommands(
  parent: Command,
  context: CommandContext,
  open: OpenStores,
): void {
  addRetry(parent, context, open);
  addSteering(parent, context, open, "pause");
  addSteering(parent, context, open, "resume");
}

function addRetry(parent: Command, context: CommandContext, open: OpenStores): void {
  const command = parent
    .command("retry")
    .description("try again at once what has failed for good, and what waits after a failure")
    .argument("[id...]", "only these, as `portolan replication failures` shows them")
    .option("--destination <region[/account]>", "only to this one", parseDestination)
    .option("--code <code>", "only what failed with this code")
    .option("--repository <name>", "only of this repository")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
A running server begins within a second; otherwise the next one does.

Examples:
  $ portolan replication retry --config chart/us-east-1/portolan.yaml
  $ portolan replication retry --destination eu-west-1 --code tag_immutable --config chart/us-east-1/portolan.yaml`,
    );
  addConfigurationOptions(command).action(
    async (ids: string[], options: RetryOptions & Record<string, unknown>) => {
      if (ids.length > idsLimit) throw new CommandError(`at most ${idsLimit} ids at once`, 2);
      const { configuration } = await readConfiguration(options, context);
      const { destination, code, repository } = options;
      await withStores(configuration, context, open, async (registry) => {
        const retried = await retryReplications(registry, {
          ...(destination !== undefined && { region: destination.region }),
          ...(destination?.registryId !== undefined && {
            destinationAccount: destination.registryId,
          }),
          ...(code !== undefined && { code }),
          ...(repository !== undefined && { repository }),
          ...(ids.length > 0 && { ids }),
        });
        context.stdout(
          options.json
            ? `${JSON.stringify({ retried })}\n`
            : `${retried} ${retried === 1 ? "replication is" : "replications are"} due now.\n`,
        );
      });
    },
  );
}

function addSteering(
  parent: Command,
  context: CommandContext,
  open: OpenStores,
  verb: "pause" | "resume",
): void {
  const command = parent
    .command(verb)
    .description(
      verb === "pause"
        ? "send nothing to a region until it is resumed; its queue waits"
        : "send to a paused region again",
    )
    .requiredOption("--destination <region>", "the region", parseDestination)
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
It holds for all accounts, survives restarts, and a running server follows within a second;
transfers that a pause interrupts go on where they were.

Example:
  $ portolan replication ${verb} --destination eu-west-1 --config chart/us-east-1/portolan.yaml`,
    );
  addConfigurationOptions(command).action(
    async (options: SteerOptions & Record<string, unknown>) => {
      const { configuration } = await readConfiguration(options, context);
      const { region, registryId } = options.destination;
      if (registryId !== undefined) {
        throw new CommandError("a region is paused as a whole: name it without an account", 2);
      }
      // Resuming what has left the chart takes its mark away.
      if (verb === "pause" && !isKnown(configuration, region)) {
        throw new CommandError(`the chart of this region has no ${region}`, 2);
      }
      await withStores(configuration, context, open, async (registry) => {
        const { account } = configuration;
        const steer = { account, region, actor: rootPrincipal(account).arn };
        let changed = true;
        if (verb === "pause") await pauseDestination(registry, steer);
        else changed = await resumeDestination(registry, steer);
        const state = verb === "pause" ? "paused" : changed ? "resumed" : "not paused";
        context.stdout(
          options.json ? `${JSON.stringify({ region, state })}\n` : `${region} is ${state}.\n`,
        );
      });
    },
  );
}

function isKnown(configuration: Configuration, region: string): boolean {
  return configuration.region === region || configuration.chart.some(({ name }) => name === region);
}
