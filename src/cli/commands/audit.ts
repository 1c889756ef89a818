/** `portolan audit`: the calls that were allowed and denied, as JSON lines. */
import type { Command } from "commander";
import * as v from "valibot";
import type { AuditRecord } from "../../access/audit.ts";
import { type AuditQuery, readAudit } from "../../access/audit-log.ts";
import { parseDate } from "../../access/policy/condition-operators.ts";
import { duration } from "../../runtime/configuration-values.ts";
import { type CommandContext, CommandError } from "../command-context.ts";
import { addConfigurationOptions, readConfiguration } from "../configuration-options.ts";
import { type OpenStores, withStores } from "../stores.ts";

interface AuditOptions {
  readonly since?: string;
  readonly until?: string;
  readonly principal?: string;
  readonly action?: string;
  readonly denied?: true;
  readonly limit?: string;
}

export function addAuditCommand(program: Command, context: CommandContext, open: OpenStores): void {
  const command = program
    .command("audit")
    .description("print the calls that were allowed and denied, oldest first, as JSON lines")
    .option(
      "--since <time>",
      "from this time on: ISO 8601, or how long ago, such as 2h (default: 24h)",
    )
    .option("--until <time>", "up to this time")
    .option("--principal <arn>", "only of this principal")
    .option("--action <name>", "only this action, such as ecr:PutImage")
    .option("--denied", "only what was denied")
    .option("--limit <count>", "no more than so many")
    .addHelpText(
      "after",
      `
It works beside a running server. Calls that only read are there within half a second, all others
at once; audit.retention says how long they are kept.

Examples:
  What was refused today?
    $ portolan audit --denied --since 24h --config chart/us-east-1/portolan.yaml
  Who pushed?
    $ portolan audit --action ecr:PutImage --since 2026-11-01 | jq -r '[.time, .principal, .resource] | @tsv'`,
    );
  addConfigurationOptions(command).action(
    async (options: AuditOptions & Record<string, unknown>) => {
      const query = auditQuery(options, context.clock.now());
      const limit = parseLimit(options.limit);
      const { configuration } = await readConfiguration(options, context);
      await withStores(configuration, context, open, async ({ metadata }, signal) => {
        let printed = 0;
        for await (const record of readAudit(metadata, query)) {
          if (printed >= limit || signal.aborted) break;
          context.stdout(`${auditJson(record)}\n`);
          printed++;
        }
      });
    },
  );
}

function auditQuery(options: AuditOptions, now: number): AuditQuery {
  const { principal, action, denied } = options;
  return {
    since: parseTime(options.since ?? "24h", now),
    ...(options.until !== undefined && { until: parseTime(options.until, now) }),
    ...(principal !== undefined && { principal }),
    ...(action !== undefined && { action }),
    denied: denied ?? false,
  };
}

const ago = duration("0", "3650d").schema;

function parseTime(text: string, now: number): number {
  const time = parseDate(text);
  if (text.includes("-") && !Number.isNaN(time)) return time;
  const past = v.safeParse(ago, text);
  if (past.success) return now - past.output.milliseconds;
  throw new CommandError(
    `${text}: expected a time such as 2026-11-22T08:00:00Z, or 2h for two hours ago`,
    2,
  );
}

function parseLimit(text: string | undefined): number {
  if (text === undefined) return Number.POSITIVE_INFINITY;
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text);
  throw new CommandError(`--limit ${text}: expected a number from 1 on`, 2);
}

function auditJson({ time, ...rest }: AuditRecord): string {
  return JSON.stringify({ time: new Date(time).toISOString(), ...rest });
}
