/** `portolan replication lost`: the signed list of what was acknowledged and has not arrived. */
import { createPublicKey, sign, verify } from "node:crypto";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Command } from "commander";
import * as v from "valibot";
import {
  type LossStatement,
  lossStatement,
  type SignedStatement,
} from "../../replication/loss-statement.ts";
import { regionsOf } from "../../runtime/chart-values.ts";
import type { Configuration } from "../../runtime/configuration-entries.ts";
import { readRegionKey } from "../../runtime/secret-files.ts";
import { type CommandContext, CommandError } from "../command-context.ts";
import { addConfigurationOptions, readConfiguration } from "../configuration-options.ts";
import { type DestinationOption, isSelected, parseDestination } from "../destinations.ts";
import { type OpenStores, withStores } from "../stores.ts";

interface LostOptions {
  readonly destination?: DestinationOption;
  readonly check?: string;
  readonly json?: true;
}

export function addReplicationLostCommand(
  parent: Command,
  context: CommandContext,
  open: OpenStores,
): void {
  const command = parent
    .command("lost")
    .description(
      "list exactly what was acknowledged here and has not arrived, signed by the region",
    )
    .option("--destination <region[/account]>", "only what has not arrived there", parseDestination)
    .option("--check <file>", "check the signature of a statement against the chart instead")
    .option("--json", "print the signed statement as JSON")
    .addHelpText(
      "after",
      `
For a region that is down for good while its database can be read: give the configuration of that
region. Every push has a row for each destination in the transaction of its 201, so the list is exact
for what rules send; an empty one proves that nothing of it is missing. Exit code 1 when it is not
empty, or a signature is wrong.

Examples:
  $ portolan replication lost --json --config chart/us-east-1/portolan.yaml > lost.json
  $ portolan replication lost --check lost.json --config chart/eu-west-1/portolan.yaml`,
    );
  addConfigurationOptions(command).action(
    async (options: LostOptions & Record<string, unknown>) => {
      const { configuration } = await readConfiguration(options, context);
      if (options.check !== undefined) {
        const path = resolve(context.workingDirectory, options.check);
        print(await checkStatement(path, configuration), context);
        return;
      }
      const { regionKey } = configuration;
      if (regionKey === undefined) {
        throw new CommandError("a statement is signed: the configuration names no regionKey");
      }
      const { privateKey } = await readRegionKey(regionKey);
      await withStores(configuration, context, open, async ({ metadata, region }) => {
        const { destination } = options;
        const made = await lossStatement(metadata.read, {
          region,
          at: context.clock.now(),
          ...(destination !== undefined && { destination: nameOf(destination) }),
          isSelected: (each) => isSelected(each, destination),
        });
        if (!options.json) return print(made, context);
        const statement = JSON.stringify(made);
        const signature = sign(null, Buffer.from(statement), privateKey).toString("base64url");
        const signed: SignedStatement = { statement, signature };
        context.stdout(`${JSON.stringify(signed)}\n`);
        if (made.images.length > 0) context.setExitCode(1);
      });
    },
  );
}

const nameOf = ({ region, registryId }: DestinationOption) =>
  registryId === undefined ? region : `${region}/${registryId}`;

const signedSchema = v.object({ statement: v.string(), signature: v.string() });
const statementSchema = v.object({
  kind: v.literal("portolan-loss-statement"),
  version: v.literal(1),
  region: v.string(),
  at: v.number(),
  destination: v.exactOptional(v.string()),
  images: v.array(
    v.object({
      account: v.string(),
      repository: v.string(),
      digest: v.string(),
      tag: v.exactOptional(v.string()),
      destination: v.string(),
      state: v.picklist(["pending", "failed"]),
      pushedAt: v.number(),
      failureCode: v.exactOptional(v.string()),
    }),
  ),
});

/** @throws CommandError when it is not what a region of the chart has signed */
async function checkStatement(path: string, { chart }: Configuration): Promise<LossStatement> {
  const signed = v.safeParse(signedSchema, parseJson(await readFile(path, "utf8")));
  if (!signed.success) throw new CommandError(`${path} is no signed statement`);
  const statement = v.safeParse(statementSchema, parseJson(signed.output.statement));
  if (!statement.success) throw new CommandError(`${path} has no statement of this version`);
  const { region } = statement.output;
  const known = regionsOf(chart).find(({ name }) => name === region);
  if (known === undefined) throw new CommandError(`the chart has no ${region}`);
  const key = createPublicKey({
    key: { kty: "OKP", crv: "Ed25519", x: known.publicKey },
    format: "jwk",
  });
  const bytes = Buffer.from(signed.output.statement);
  const signature = Buffer.from(signed.output.signature, "base64url");
  if (!verify(null, bytes, key, signature)) {
    throw new CommandError(`the signature is not of ${region}: the statement was changed`);
  }
  return statement.output;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function print(statement: LossStatement, context: CommandContext): void {
  const { region, at, destination, images } = statement;
  for (const image of images) {
    const name = `${image.account}/${image.repository}${image.tag === undefined ? "" : `:${image.tag}`}`;
    const pushed = new Date(image.pushedAt).toISOString();
    const failed = image.failureCode === undefined ? "" : `  ${image.failureCode}`;
    context.stdout(
      `${image.destination}  ${image.state}  ${pushed}  ${name}  ${image.digest}${failed}\n`,
    );
  }
  const where = destination === undefined ? "at its destinations" : `at ${destination}`;
  const what = images.length === 0 ? "nothing is missing" : `${images.length} missing`;
  context.stdout(
    `${region}, ${new Date(at).toISOString()}: of all that was acknowledged and that rules send, ${what} ${where}.\n`,
  );
  if (images.length > 0) context.setExitCode(1);
}
