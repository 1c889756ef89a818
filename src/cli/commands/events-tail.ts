/** `portolan events tail`: the last events, and those that follow. */
import type { Command } from "commander";
import type { EventEnvelope } from "../../events/event.ts";
import {
  EventPatternError,
  type PatternNode,
  parseEventPattern,
} from "../../events/pattern-syntax.ts";
import { readEvents, readLastEvents } from "../../events/read-events.ts";
import { type CommandContext, CommandError } from "../command-context.ts";
import { addConfigurationOptions, readConfiguration } from "../configuration-options.ts";
import { type OpenStores, withStores } from "../stores.ts";

interface TailOptions {
  readonly last: string;
  readonly follow?: true;
  readonly pattern?: string;
  readonly json?: true;
}

const lastLimit = 10_000;
const pollMilliseconds = 500;

export function addEventsTailCommand(
  parent: Command,
  context: CommandContext,
  open: OpenStores,
): void {
  const command = parent
    .command("tail")
    .description("print the last events of the journal, whether or not a rule matches them")
    .option("-n, --last <count>", "so many", "10")
    .option("-f, --follow", "go on with those that follow, until Ctrl-C")
    .option("--pattern <json>", "only those that match this event pattern")
    .option("--json", "print JSON lines: the events as targets get them")
    .addHelpText(
      "after",
      `
Examples:
  $ portolan events tail -f --config chart/us-east-1/portolan.yaml
  What did not arrive?
    $ portolan events tail -n 100 --json --pattern '{"detail":{"result":["FAILED"]}}'`,
    );
  addConfigurationOptions(command).action(
    async (options: TailOptions & Record<string, unknown>) => {
      const count = /^\d{1,6}$/.test(options.last) ? Number(options.last) : Number.NaN;
      if (!(count <= lastLimit)) throw new CommandError(`--last takes 0 to ${lastLimit}`, 2);
      const pattern = readPattern(options.pattern);
      const { configuration } = await readConfiguration(options, context);
      const print = (events: readonly EventEnvelope[]) => {
        for (const event of events) {
          context.stdout(`${options.json ? JSON.stringify(event) : lineOf(event)}\n`);
        }
      };
      await withStores(configuration, context, open, async ({ metadata, region }, signal) => {
        const { events, next } = await readLastEvents(metadata.read, region, count, pattern);
        print(events);
        let position = next;
        while (options.follow && !signal.aborted) {
          const page = await readEvents(metadata.read, region, position, pattern);
          print(page.events);
          if (page.next === position) await context.clock.sleep(pollMilliseconds, signal);
          position = page.next;
        }
      });
    },
  );
}

function readPattern(text: string | undefined): PatternNode | undefined {
  if (text === undefined) return undefined;
  try {
    return parseEventPattern(text);
  } catch (error) {
    if (!(error instanceof EventPatternError)) throw error;
    throw new CommandError(`--pattern is not valid: ${error.message}`, 2);
  }
}

function lineOf({ time, account, detail, "detail-type": type }: EventEnvelope): string {
  const text = (name: string) => (typeof detail[name] === "string" ? String(detail[name]) : "");
  const what = [text("action-type") || text("eventName") || text("alarmName"), text("result")];
  const parameters = detail.requestParameters as { repositoryName?: string } | undefined;
  const repository = text("repository-name") || (parameters?.repositoryName ?? "");
  const tag = text("image-tag");
  const digest = text("image-digest");
  const image = tag === "" ? `${repository}${digest && `@${digest}`}` : `${repository}:${tag}`;
  const region = text("portolan-destination-region") || text("source-region");
  const direction =
    text("portolan-side") === "source" ? `to ${region}` : region && `from ${region}`;
  const failure = text("portolan-failure-text");
  const alarm = (detail.state as { value?: string; reason?: string } | undefined) ?? {};
  return [...[time, account, type, ...what, image, direction, failure, alarm.value, alarm.reason]]
    .filter((part) => part !== undefined && part !== "")
    .join("  ");
}
