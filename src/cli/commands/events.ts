/** `portolan events`: what has happened, who is told of it, and what could not be told. */
import type { Command } from "commander";
import { ruleStatuses, type TargetStatus } from "../../events/overview.ts";
import { storedAlarms } from "../../events/watch-alarms.ts";
import { formatElapsed } from "../amounts.ts";
import type { CommandContext } from "../command-context.ts";
import { addConfigurationOptions, readConfiguration } from "../configuration-options.ts";
import { type OpenStores, withStores } from "../stores.ts";
import { table } from "../table.ts";
import { addDeadLettersCommand } from "./events-dead-letters.ts";
import { addEventsTailCommand } from "./events-tail.ts";

interface RulesOptions {
  readonly of?: string;
  readonly json?: true;
}

export function addEventsCommand(
  program: Command,
  context: CommandContext,
  open: OpenStores,
): void {
  const events = program
    .command("events")
    .description("events: follow them, their rules and targets, dead letters, alarms");
  addEventsTailCommand(events, context, open);
  addRules(events, context, open);
  addDeadLettersCommand(events, context, open);
  addAlarms(events, context, open);
}

function addRules(parent: Command, context: CommandContext, open: OpenStores): void {
  const command = parent
    .command("rules")
    .description("rules with the state of their targets")
    .option("--of <account>", "of this account (default: the one of the configuration)")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Rules are made by EventBridge's operations: aws events put-rule, put-targets, …

Example:
  $ portolan events rules --config chart/us-east-1/portolan.yaml`,
    );
  addConfigurationOptions(command).action(
    async (options: RulesOptions & Record<string, unknown>) => {
      const { configuration } = await readConfiguration(options, context);
      const account = options.of ?? configuration.account;
      await withStores(configuration, context, open, async ({ metadata }) => {
        const rules = await ruleStatuses(metadata.read, account);
        if (options.json) {
          context.stdout(`${JSON.stringify(rules)}\n`);
          return;
        }
        if (rules.length === 0) {
          context.stdout(`The account ${account} has no rules.\n`);
          return;
        }
        const now = context.clock.now();
        const rows = rules.flatMap((rule) => {
          const head = [rule.name, rule.isEnabled ? "enabled" : "disabled"];
          if (rule.targets.length === 0) return [[...head, "(no targets)", "", "", ""]];
          return rule.targets.map((target) => [...head, ...targetCells(target, now)]);
        });
        const headings = ["RULE", "STATE", "TARGET", "WAITING", "DEAD LETTERS", "LAST"];
        context.stdout(`${table([headings, ...rows])}\n`);
      });
    },
  );
}

function targetCells(target: TargetStatus, now: number): string[] {
  const { failure, deliveredAt } = target;
  const ago = (time: number) => formatElapsed(Math.max(0, now - time));
  let last = deliveredAt === undefined ? "nothing yet" : `delivered ${ago(deliveredAt)} ago`;
  if (failure !== undefined) last = `failing for ${ago(failure.since)}: ${failure.text}`;
  return [target.id, String(target.waiting), String(target.deadLetters), last];
}

function addAlarms(parent: Command, context: CommandContext, open: OpenStores): void {
  const command = parent
    .command("alarms")
    .description("alarms that are raised, and those that were")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
A running server looks at what alarms are about; alarms.* in the configuration has the thresholds.
The exit code is 1 while an alarm is raised.

Example:
  $ portolan events alarms --config chart/us-east-1/portolan.yaml`,
    );
  addConfigurationOptions(command).action(
    async (options: { json?: true } & Record<string, unknown>) => {
      const { configuration } = await readConfiguration(options, context);
      await withStores(configuration, context, open, async ({ metadata }) => {
        const alarms = await storedAlarms(metadata.read);
        if (alarms.some(({ isRaised }) => isRaised)) context.setExitCode(1);
        if (options.json) context.stdout(`${JSON.stringify(alarms)}\n`);
        else if (alarms.length === 0) context.stdout("No alarm was ever raised.\n");
        else {
          const now = context.clock.now();
          const rows = alarms.map(({ name, isRaised, since, reason }) => [
            ...[isRaised ? "ALARM" : "ok", name, formatElapsed(Math.max(0, now - since)), reason],
          ]);
          context.stdout(`${table([["STATE", "ALARM", "FOR", "REASON"], ...rows])}\n`);
        }
      });
    },
  );
}
