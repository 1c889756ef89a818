/** `portolan replication image`: what became of one image, destination by destination. */
import type { Command } from "commander";
import { parseDigest } from "../../image/digest.ts";
import {
  type ImageSelector,
  imageReplications,
  type ReplicationStatus,
} from "../../replication/status.ts";
import { accountPattern } from "../../runtime/configuration-values.ts";
import { formatByteCount, formatElapsed } from "../amounts.ts";
import { type CommandContext, CommandError } from "../command-context.ts";
import { addConfigurationOptions, readConfiguration } from "../configuration-options.ts";
import { formatDestination } from "../destinations.ts";
import { type OpenStores, withStores } from "../stores.ts";

interface ImageOptions {
  readonly registry?: string;
  readonly json?: true;
}

export function addReplicationImageCommand(
  parent: Command,
  context: CommandContext,
  open: OpenStores,
): void {
  const command = parent
    .command("image")
    .description("the way of one image to every destination")
    .argument("<image>", "REPOSITORY:TAG or REPOSITORY@DIGEST")
    .option("--registry <account>", "the account it belongs to (default: the configuration's)")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ portolan replication image team/web:v1 --config chart/us-east-1/portolan.yaml
  $ portolan replication image team/web@sha256:… --json --config chart/us-east-1/portolan.yaml`,
    );
  addConfigurationOptions(command).action(
    async (text: string, options: ImageOptions & Record<string, unknown>) => {
      const { repository, selector } = parseImage(text);
      const { configuration } = await readConfiguration(options, context);
      const account = options.registry ?? configuration.account;
      if (!accountPattern.test(account)) {
        throw new CommandError(`${account}: an account id has twelve digits`, 2);
      }
      await withStores(configuration, context, open, async ({ metadata }) => {
        const address = { account, repository };
        const statuses = await imageReplications(metadata.read, address, selector);
        if (statuses === undefined) throw new CommandError(`${text} is not in this registry`);
        if (options.json) context.stdout(`${JSON.stringify(statuses)}\n`);
        else if (statuses.length === 0) context.stdout("No rule has sent it anywhere.\n");
        else context.stdout(statuses.map(timeline).join("\n"));
      });
    },
  );
}

function parseImage(text: string): { repository: string; selector: ImageSelector } {
  const match = /^([^@:]+)(?:@(.+)|:([^:@]+))$/.exec(text);
  const [, repository, digestText, tag] = match ?? [];
  const digest = digestText === undefined ? undefined : parseDigest(digestText);
  if (repository !== undefined && tag !== undefined) return { repository, selector: { tag } };
  if (repository !== undefined && digest !== undefined) return { repository, selector: { digest } };
  throw new CommandError(`${text}: expected REPOSITORY:TAG or REPOSITORY@DIGEST`, 2);
}

const moment = (at: number) => new Date(at).toISOString();

function timeline(status: ReplicationStatus): string {
  const { pushedAt, firstAttemptAt, completedAt, failure, attempts } = status;
  const events: [number, string][] = [[pushedAt, "pushed"]];
  if (firstAttemptAt !== undefined) events.push([firstAttemptAt, "first attempt"]);
  if (failure !== undefined) {
    events.push([failure.at, `failed at the ${failure.side}: ${failure.code}: ${failure.text}`]);
  }
  if (completedAt !== undefined) {
    const elapsed = formatElapsed(Math.max(0, completedAt - pushedAt));
    events.push([completedAt, `complete, ${elapsed} after the push`]);
  }
  const image = `${status.tag === undefined ? "" : `${status.tag} `}${status.digest}`;
  const sent = `${formatByteCount(status.bytesSent)} sent`;
  const remaining =
    status.state === "pending" ? `, at most ${formatByteCount(status.bytesRemaining)} to send` : "";
  const count = attempts === 1 ? "1 attempt" : `${attempts} attempts`;
  return [
    `${formatDestination(status)}  ${status.state}  ${image}`,
    ...events.sort(([a], [b]) => a - b).map(([at, what]) => `  ${moment(at)}  ${what}`),
    `  ${count}, ${sent}${remaining}`,
    "",
  ].join("\n");
}
