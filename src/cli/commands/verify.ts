/** `portolan verify`: compares a destination with what the rules send there, without trusting a status. */
import type { Command } from "commander";
import { allDestinations, getReplicationConfiguration } from "../../replication/configuration.ts";
import { type Difference, differenceKinds } from "../../replication/verification/judge.ts";
import { storeVerification } from "../../replication/verification/stored-verifications.ts";
import type { VerificationReport } from "../../replication/verification/verify-destination.ts";
import { accountPattern } from "../../runtime/configuration-values.ts";
import { formatByteCount, formatElapsed } from "../amounts.ts";
import { type CommandContext, CommandError } from "../command-context.ts";
import { addConfigurationOptions, readConfiguration } from "../configuration-options.ts";
import {
  type DestinationOption,
  formatDestination,
  isSelected,
  parseDestination,
} from "../destinations.ts";
import { progressLine } from "../progress-line.ts";
import { type OpenReplication, type OpenStores, withStores } from "../stores.ts";

interface VerifyCommandOptions {
  readonly destination?: DestinationOption;
  readonly registry?: string;
  readonly repository?: string;
  readonly deep?: true;
  readonly repair?: true;
  readonly json?: true;
}

export function addVerifyCommand(
  program: Command,
  context: CommandContext,
  open: OpenStores,
  openReplication: OpenReplication,
): void {
  const command = program
    .command("verify")
    .description("compare destinations with what the replication rules send there")
    .option("--destination <region[/account]>", "only this one (default: all)", parseDestination)
    .option("--registry <account>", "the account whose rules count (default: the configuration's)")
    .option("--repository <prefix>", "only repositories whose names begin so")
    .option("--deep", "let the destination read through every blob as well")
    .option("--repair", "send again what is wrong there; nothing newer is overwritten")
    .option("--json", "print differences as JSON, one a line, and the reports last")
    .addHelpText(
      "after",
      `
Both sides calculate a digest tree over their own tags and manifests; only where digests differ is
more asked. What is still on its way is reported apart and is not wrong. Exit code 1 when something
is wrong there, or a destination cannot be compared. It works beside a running server, which also
compares by itself (replication.verifyInterval) and does what --repair makes due.
With --deep a blob that is damaged there goes into quarantine, as with portolan scrub.

Examples:
  Is everything there?
    $ portolan verify --config chart/us-east-1/portolan.yaml
  One destination, to the last byte, with repair:
    $ portolan verify --destination eu-west-1 --deep --repair --config chart/us-east-1/portolan.yaml`,
    );
  addConfigurationOptions(command).action(
    async (options: VerifyCommandOptions & Record<string, unknown>) => {
      const { configuration } = await readConfiguration(options, context);
      const account = options.registry ?? configuration.account;
      if (!accountPattern.test(account)) {
        throw new CommandError(`${account}: an account id has twelve digits`, 2);
      }
      await withStores(configuration, context, open, async (registry, signal) => {
        const replication = await openReplication(configuration, registry);
        const rules = await getReplicationConfiguration(registry.metadata.read, account);
        const destinations = allDestinations(rules).filter((destination) =>
          isSelected(destination, options.destination),
        );
        if (destinations.length === 0) {
          throw new CommandError(`no replication rule of ${account} names such a destination`);
        }
        const progress = progressLine(context);
        for (const destination of destinations) {
          const name = formatDestination(destination);
          try {
            const report = await replication.verify({
              account,
              destination,
              signal,
              ...(options.repository !== undefined && { repositoryPrefix: options.repository }),
              deep: options.deep ?? false,
              repair: options.repair ?? false,
              onProgress: (text) => progress.show(`${name}: ${text}`),
            });
            progress.clear();
            // A part says nothing about the whole.
            if (options.repository === undefined) {
              await storeVerification(registry, account, destination, { report });
            }
            print(report, options.json ?? false, context);
            if (report.wrong > 0 || report.truncated) context.setExitCode(1);
          } catch (error) {
            progress.clear();
            if (signal.aborted) throw new CommandError("interrupted");
            const text = error instanceof Error ? error.message : String(error);
            context.stderr(`${name}: cannot be compared: ${text}\n`);
            context.setExitCode(1);
          }
        }
      });
    },
  );
}

function print(report: VerificationReport, json: boolean, context: CommandContext): void {
  const { differences, ...figures } = report;
  const destination = formatDestination(report.destination);
  for (const difference of differences) {
    context.stdout(
      json
        ? `${JSON.stringify({ destination, ...difference })}\n`
        : differenceLine(destination, difference),
    );
  }
  context.stdout(json ? `${JSON.stringify(figures)}\n` : summary(report));
}

function differenceLine(destination: string, difference: Difference): string {
  const { kind, repository, tag, digest, digestThere, blob, failureCode } = difference;
  const image = tag === undefined ? `${repository}@${digest}` : `${repository}:${tag}  ${digest}`;
  const more = [
    digestThere === undefined || digestThere === digest ? "" : `there ${digestThere}`,
    blob === undefined ? "" : `blob ${blob}`,
    failureCode === undefined ? "" : `its replication failed: ${failureCode}`,
  ].filter((text) => text !== "");
  return `${[kind.padEnd(12), destination, image, ...more].join("  ")}\n`;
}

function summary(report: VerificationReport): string {
  const { counts, deep } = report;
  const kinds = Object.entries(differenceKinds).filter(
    ([kind]) => counts[kind as keyof typeof counts] > 0,
  );
  const rows: readonly (readonly [number, string])[] = [
    ...kinds.map(
      ([kind, { meaning, wrong }]) =>
        [
          counts[kind as keyof typeof counts],
          `${kind}${wrong ? "" : " (not wrong)"}: ${meaning}`,
        ] as const,
    ),
    ...(report.onTheWay > 0 ? [[report.onTheWay, "on the way: still to be sent"] as const] : []),
    ...(report.repaired === undefined
      ? []
      : [
          [report.repaired, "replications are due again; see portolan replication status"] as const,
        ]),
  ];
  const compared = `${report.tags} tags and ${report.manifests} manifests in ${report.repositories} repositories`;
  const read = deep ? `, ${deep.blobs} blobs (${formatByteCount(deep.blobsBytes)})` : "";
  const cost = `${formatElapsed(report.milliseconds)}, ${report.roundTrips} ${report.roundTrips === 1 ? "question" : "questions"}, ${formatByteCount(report.wireBytes)} on the wire`;
  return [
    `${formatDestination(report.destination)}: ${verdict(report)}. Compared ${compared}${read} in ${cost}`,
    ...rows.map(([count, what]) => `  ${String(count).padStart(8)}  ${what}`),
    ...(report.truncated ? ["  there are more than are listed"] : []),
    "",
  ].join("\n");
}

function verdict({ wrong, onTheWay }: VerificationReport): string {
  if (wrong > 0) return `${wrong} wrong`;
  return onTheWay > 0 ? "nothing is wrong" : "everything is there";
}
