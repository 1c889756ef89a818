/** `portolan events dead-letters`: events that could not be delivered. */
import type { Command } from "commander";
import {
  type DeadLetter,
  discardDeadLetter,
  findDeadLetter,
  listDeadLetters,
  replayDeadLetter,
} from "../../events/dead-letters.ts";
import type { RegistryContext } from "../../registry/context.ts";
import { formatElapsed } from "../amounts.ts";
import { type CommandContext, CommandError } from "../command-context.ts";
import { addConfigurationOptions, readConfiguration } from "../configuration-options.ts";
import { type OpenStores, withStores } from "../stores.ts";
import { table } from "../table.ts";

interface ListOptions {
  readonly rule?: string;
  readonly limit: string;
  readonly json?: true;
}

interface ChangeOptions {
  readonly all?: true;
  readonly rule?: string;
  readonly json?: true;
}

const pageLimit = 500;

export function addDeadLettersCommand(
  parent: Command,
  context: CommandContext,
  open: OpenStores,
): void {
  const letters = parent
    .command("dead-letters")
    .description("events that could not be delivered: read, deliver again, delete");
  addList(letters, context, open);
  addShow(letters, context, open);
  addChange(letters, context, open, "replay");
  addChange(letters, context, open, "delete");
}

function addList(parent: Command, context: CommandContext, open: OpenStores): void {
  const command = parent
    .command("list")
    .description("list them, oldest first")
    .option("--rule <name>", "only of this rule")
    .option("--limit <count>", "no more than so many", "100")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Example:
  $ portolan events dead-letters list --config chart/us-east-1/portolan.yaml`,
    );
  addConfigurationOptions(command).action(
    async (options: ListOptions & Record<string, unknown>) => {
      const limit = /^\d{1,6}$/.test(options.limit) ? Number(options.limit) : 0;
      if (limit < 1) throw new CommandError("--limit takes a number from 1", 2);
      const { configuration } = await readConfiguration(options, context);
      await withStores(configuration, context, open, async ({ metadata }) => {
        const found = await listDeadLetters(metadata.read, { rule: options.rule, limit });
        if (options.json) context.stdout(`${JSON.stringify(found)}\n`);
        else if (found.length === 0) context.stdout("There are no dead letters.\n");
        else
          context.stdout(
            `${table([headings, ...found.map((letter) => cells(letter, context))])}\n`,
          );
      });
    },
  );
}

const headings = ["ID", "AGE", "RULE", "TARGET", "ATTEMPTS", "CODE", "EVENT", "REASON"];

function cells(letter: DeadLetter, { clock }: CommandContext): string[] {
  const age = formatElapsed(Math.max(0, clock.now() - letter.failedAt));
  const { id, rule, target, attempts, code, event, text } = letter;
  return [id, age, rule, target, String(attempts), code, event["detail-type"], text];
}

function addShow(parent: Command, context: CommandContext, open: OpenStores): void {
  const command = parent
    .command("show")
    .description("print one with its event, as JSON")
    .argument("<id>", "as the list shows it")
    .addHelpText(
      "after",
      `
Example:
  $ portolan events dead-letters show 0190… --config chart/us-east-1/portolan.yaml`,
    );
  addConfigurationOptions(command).action(async (id: string, options: Record<string, unknown>) => {
    const { configuration } = await readConfiguration(options, context);
    await withStores(configuration, context, open, async ({ metadata }) => {
      const letter = await findDeadLetter(metadata.read, id);
      context.stdout(`${JSON.stringify(letter, null, 2)}\n`);
    });
  });
}

function addChange(
  parent: Command,
  context: CommandContext,
  open: OpenStores,
  verb: "replay" | "delete",
): void {
  const command = parent
    .command(verb)
    .description(
      verb === "replay" ? "deliver again, before all that waits" : "delete without delivering",
    )
    .argument("[id...]", "as the list shows them")
    .option("--all", "all of them")
    .option("--rule <name>", "with --all: only of this rule")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ portolan events dead-letters ${verb} 0190… --config chart/us-east-1/portolan.yaml
  $ portolan events dead-letters ${verb} --all --rule notify-team`,
    );
  addConfigurationOptions(command).action(
    async (ids: string[], options: ChangeOptions & Record<string, unknown>) => {
      if (ids.length > 0 === (options.all === true)) {
        throw new CommandError("name dead letters, or say --all", 2);
      }
      if (options.rule !== undefined && !options.all) {
        throw new CommandError("--rule goes with --all", 2);
      }
      const change = verb === "replay" ? replayDeadLetter : discardDeadLetter;
      const { configuration } = await readConfiguration(options, context);
      await withStores(configuration, context, open, async (registry, signal) => {
        const { done, failed } = await changeEach(registry, ids, options, change, signal);
        for (const text of failed) context.stderr(`${text}\n`);
        if (failed.length > 0) context.setExitCode(1);
        const past = verb === "replay" ? "due now" : "deleted";
        const letters = done === 1 ? "dead letter is" : "dead letters are";
        context.stdout(
          options.json ? `${JSON.stringify({ done, failed })}\n` : `${done} ${letters} ${past}.\n`,
        );
      });
    },
  );
}

/** One that cannot be changed does not keep the others from it. */
async function changeEach(
  registry: RegistryContext,
  ids: readonly string[],
  options: ChangeOptions,
  change: (registry: RegistryContext, id: string) => Promise<void>,
  signal: AbortSignal,
): Promise<{ done: number; failed: string[] }> {
  let done = 0;
  const failed: string[] = [];
  const attempt = async (id: string) => {
    try {
      await change(registry, id);
      done += 1;
    } catch (error) {
      failed.push(error instanceof Error ? error.message : String(error));
    }
  };
  for (const id of ids) await attempt(id);
  let after: { failedAt: number; id: string } | undefined;
  while (options.all && !signal.aborted) {
    const page = { rule: options.rule, after, limit: pageLimit };
    const found = await listDeadLetters(registry.metadata.read, page);
    for (const { id } of found) await attempt(id);
    const last = found.at(-1);
    if (last === undefined || found.length < pageLimit) break;
    after = { failedAt: last.failedAt, id: last.id };
  }
  return { done, failed };
}
