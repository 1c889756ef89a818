/** `portolan replication status`: every destination, once or again and again. */
import type { Command } from "commander";
import {
  type DestinationStatus,
  type ReplicationOverview,
  replicationOverview,
} from "../../replication/destination-status.ts";
import { formatByteCount, formatElapsed } from "../amounts.ts";
import type { CommandContext } from "../command-context.ts";
import { addConfigurationOptions, readConfiguration } from "../configuration-options.ts";
import {
  type DestinationOption,
  formatDestination,
  isSelected,
  parseDestination,
} from "../destinations.ts";
import { type OpenStores, withStores } from "../stores.ts";
import { table } from "../table.ts";

interface StatusOptions {
  readonly destination?: DestinationOption;
  readonly watch?: true;
  readonly json?: true;
}

const watchMilliseconds = 1000;
const clearScreen = "\x1b[2J\x1b[H";

export function addReplicationStatusCommand(
  parent: Command,
  context: CommandContext,
  open: OpenStores,
): void {
  const command = parent
    .command("status")
    .description("lag, backlog, rate and failures of every destination, and what would be lost")
    .option("--destination <region[/account]>", "only this one", parseDestination)
    .option("--watch", "again every second, until Ctrl-C")
    .option("--json", "print JSON; with --watch one line each time")
    .addHelpText(
      "after",
      `
It works beside a running server and also when it is down. Rates are those of the last minute.

Examples:
  $ portolan replication status --watch --config chart/us-east-1/portolan.yaml
  For a monitor:
    $ portolan replication status --json --config chart/us-east-1/portolan.yaml`,
    );
  addConfigurationOptions(command).action(
    async (options: StatusOptions & Record<string, unknown>) => {
      const { configuration } = await readConfiguration(options, context);
      await withStores(configuration, context, open, async (registry, signal) => {
        const { metadata, region } = registry;
        for (;;) {
          const all = await replicationOverview(metadata.read, region, context.clock.now());
          const overview = {
            ...all,
            destinations: all.destinations.filter((each) => isSelected(each, options.destination)),
          };
          const clear = options.watch && context.interactive && !options.json ? clearScreen : "";
          context.stdout(
            clear + (options.json ? `${JSON.stringify(overview)}\n` : overviewText(overview)),
          );
          if (!options.watch) return;
          await context.clock.sleep(watchMilliseconds, signal);
          if (signal.aborted) return;
        }
      });
    },
  );
}

function overviewText(overview: ReplicationOverview): string {
  const { destinations, at } = overview;
  if (destinations.length === 0) return "No replication rule names such a destination.\n";
  const rows = destinations.map((each) => [
    formatDestination(each),
    stateText(each, at),
    each.backlogImages === 0 ? "-" : formatElapsed(each.lagMilliseconds),
    String(each.backlogImages),
    formatByteCount(each.backlogBytes),
    `${each.rate.imagesPerSecond.toFixed(1)}/s  ${formatByteCount(Math.round(each.rate.bytesPerSecond))}/s`,
    etaText(each),
    String(each.failedImages),
    verifiedText(each, at),
  ]);
  const headings = [
    "DESTINATION",
    "STATE",
    "LAG",
    "IMAGES",
    "BYTES",
    "RATE",
    "ETA",
    "FAILED",
    "VERIFIED",
  ];
  const failures = destinations.flatMap((each) =>
    Object.entries(each.failures).map(
      ([code, count]) => `  ${formatDestination(each)}: ${count} with ${code}`,
    ),
  );
  return [
    table([headings, ...rows]),
    ...(failures.length === 0
      ? []
      : ["Failed, or tried again after a failure (portolan replication failures):", ...failures]),
    riskSentence(overview),
    "",
  ].join("\n");
}

function stateText({ state }: DestinationStatus, at: number): string {
  switch (state.state) {
    case "up":
      return "up";
    case "paused":
      return `paused for ${formatElapsed(Math.max(0, at - state.since))}`;
    case "unreachable":
      return `unreachable for ${formatElapsed(Math.max(0, at - state.since))} (${state.code})`;
  }
}

function etaText({ backlogImages, etaMilliseconds }: DestinationStatus): string {
  if (backlogImages === 0) return "-";
  return etaMilliseconds === undefined ? "unknown" : formatElapsed(etaMilliseconds);
}

function verifiedText({ verification }: DestinationStatus, at: number): string {
  if (verification === undefined) return "never";
  const age = `${formatElapsed(Math.max(0, at - verification.finishedAt))} ago`;
  const { outcome } = verification;
  if ("failure" in outcome) return `${outcome.failure.code}, ${age}`;
  return `${outcome.report.wrong === 0 ? "all there" : `${outcome.report.wrong} wrong`}, ${age}`;
}

/** The recovery point, in words. */
export function riskSentence({ region, atRisk }: ReplicationOverview): string {
  if (atRisk.images === 0) {
    return `If ${region} died now, nothing that its rules send would be lost.`;
  }
  const images = atRisk.images === 1 ? "1 image" : `${atRisk.images} images`;
  return `If ${region} died now, ${images} (at most ${formatByteCount(atRisk.bytes)}) that it has acknowledged would be in no other region; the oldest was pushed ${formatElapsed(atRisk.oldestMilliseconds)} ago.`;
}
