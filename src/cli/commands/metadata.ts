/** `portolan metadata`: the credentials of a role for the programs of this machine. */
import { readFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import * as v from "valibot";
import { assumeRole } from "../../access/identities/assume-role.ts";
import { identityArn } from "../../access/identities/identity-arn.ts";
import { documentName, identityKinds } from "../../access/identities/identity-documents.ts";
import { sessionCredentials } from "../../access/identities/session-credentials.ts";
import { secretCipher } from "../../access/installation-key.ts";
import { assumeOverSts } from "../../instance-metadata/assume-over-sts.ts";
import { type AssumeRole, renewedCredentials } from "../../instance-metadata/credentials.ts";
import { instanceMetadataHandler } from "../../instance-metadata/handler.ts";
import type { RegistryContext } from "../../registry/context.ts";
import { findDocument } from "../../registry/documents.ts";
import type { Configuration } from "../../runtime/configuration-entries.ts";
import {
  endpointUrl,
  formatListenAddress,
  listenAddress,
} from "../../runtime/configuration-values.ts";
import { readInstallationFiles } from "../../runtime/installation-files.ts";
import { startListener } from "../../runtime/listener.ts";
import { readInstallationKey } from "../../runtime/secret-files.ts";
import { type CommandContext, CommandError } from "../command-context.ts";
import { addConfigurationOptions, readConfiguration } from "../configuration-options.ts";
import { type OpenStores, withStores } from "../stores.ts";

interface MetadataOptions {
  readonly role: string;
  readonly serveOn: string;
  readonly sts?: string;
  readonly hopLimit: string;
  readonly duration: string;
  readonly containerTokenFile?: string;
}

const sessionName = "i-0portolan00000000";

export function addMetadataCommand(
  program: Command,
  context: CommandContext,
  open: OpenStores,
): void {
  const command = program
    .command("metadata")
    .description("give programs on this machine the credentials of a role, as instances get them")
    .requiredOption("--role <name>", "the role: its name, or its ARN for a role of another account")
    .option("--serve-on <address>", "where to answer", "127.0.0.1:1338")
    .option(
      "--sts <url>",
      "ask this endpoint with the credentials of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, instead of using a region's own stores",
    )
    .option(
      "--hop-limit <count>",
      "1: only this machine may ask; 2: containers and neighbours too",
      "1",
    )
    .option("--duration <seconds>", "how long credentials are good, 900 to 43200", "3600")
    .option(
      "--container-token-file <file>",
      "what containers send as Authorization (default: made anew and printed)",
    )
    .addHelpText(
      "after",
      `
Speaks the protocols of EC2's instance metadata (IMDSv2 only, with its session tokens) and of
container credentials, so an unmodified SDK or CLI finds the role by itself. Credentials are
renewed before they end.

Examples:
  On the machine of a region:
    $ portolan metadata --role puller --config chart/us-east-1/portolan.yaml
    $ AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:1338 aws sts get-caller-identity \\
        --endpoint-url http://127.0.0.1:5001
  On another machine, with a key that may assume the role:
    $ AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… portolan metadata --sts https://registry.example.com \\
        --role arn:aws:iam::111122223333:role/puller --region us-east-1`,
    );
  addConfigurationOptions(command).action(
    async (options: MetadataOptions & Record<string, unknown>) => {
      const { configuration } = await readConfiguration(options, context);
      if (options.sts !== undefined) {
        return serve(options, context, configuration, overSts(options, context, configuration));
      }
      const { files } = await readInstallationFiles(configuration);
      const installationKey =
        files.installationKey ??
        (await readInstallationKey(join(configuration.data, "installation-key")));
      await withStores(configuration, context, open, (registry) =>
        serve(
          options,
          context,
          configuration,
          fromStores(options, context, configuration, registry, installationKey),
        ),
      );
    },
  );
}

function overSts(
  { role, sts = "", duration }: MetadataOptions,
  { environment, clock }: CommandContext,
  configuration: Configuration,
): AssumeRole {
  const endpoint = v.safeParse(endpointUrl.schema, sts);
  if (!endpoint.success) throw new CommandError(`--sts: expected ${endpointUrl.expected}`, 2);
  const accessKeyId = environment.AWS_ACCESS_KEY_ID;
  const secretAccessKey = environment.AWS_SECRET_ACCESS_KEY;
  if (!accessKeyId || !secretAccessKey) {
    throw new CommandError(
      "--sts needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of a key that may assume the role",
      2,
    );
  }
  return assumeOverSts({
    endpoint: endpoint.output,
    region: configuration.region,
    roleArn: arnOf(role, configuration.account),
    sessionName,
    durationSeconds: durationOf(duration),
    credentials: { accessKeyId, secretAccessKey, sessionToken: environment.AWS_SESSION_TOKEN },
    fetch,
    clock,
  });
}

function fromStores(
  { role, duration }: MetadataOptions,
  { clock, random }: CommandContext,
  { account: own }: Configuration,
  registry: RegistryContext,
  installationKey: Uint8Array,
): AssumeRole {
  const sessions = sessionCredentials({ installationKey, clock, random });
  const identities = { registry, cipher: secretCipher(installationKey, random) };
  const { account, name } = partsOf(arnOf(role, own));
  const durationSeconds = durationOf(duration);
  return async () => {
    const { read } = registry.metadata;
    const found = await findDocument(read, identityKinds.role, account, documentName(name));
    if (found === undefined) throw new CommandError(`the account ${account} has no role ${name}`);
    const issuedAt = clock.now();
    const { credentials } = await assumeRole(identities, sessions, {
      account,
      role: found.value,
      sessionName,
      durationSeconds: Math.min(durationSeconds, found.value.maxSessionSeconds),
      isChained: false,
      policyArns: [],
      tags: {},
    });
    return { ...credentials, issuedAt };
  };
}

async function serve(
  options: MetadataOptions,
  context: CommandContext,
  configuration: Configuration,
  assume: AssumeRole,
): Promise<void> {
  const { clock, random } = context;
  const address = v.safeParse(listenAddress.schema, options.serveOn);
  if (!address.success) throw new CommandError(`--serve-on: expected ${listenAddress.expected}`, 2);
  const hops = Number(options.hopLimit);
  if (!Number.isInteger(hops) || hops < 1 || hops > 64) {
    throw new CommandError("--hop-limit: expected a number from 1 to 64", 2);
  }
  const source = renewedCredentials(assume, clock);
  // A wrong name or a missing permission is said now, not to a program that asks later.
  await source.current();
  const containerToken =
    options.containerTokenFile === undefined
      ? Buffer.from(random.bytes(24)).toString("base64url")
      : (await readFile(join(context.workingDirectory, options.containerTokenFile), "utf8")).trim();
  if (containerToken === "") throw new CommandError("the container token is empty", 2);
  const roleArn = arnOf(options.role, configuration.account);
  const { account, name } = partsOf(roleArn);
  const report = (error: unknown) =>
    context.stderr(`credentials of ${roleArn} cannot be had: ${(error as Error).message}\n`);
  const listener = startListener({
    address: address.output,
    handler: instanceMetadataHandler({
      credentials: source,
      roleName: name,
      roleArn,
      account,
      region: configuration.region,
      containerToken,
      isNear: hops > 1 ? () => true : isOwnAddress,
      clock,
      random,
      reportError: report,
    }),
    random,
    monotonicNow: () => performance.now(),
    idleSeconds: 30,
    headerBytesLimit: 16 * 1024,
    requestsInFlightLimit: 256,
    onRequest: () => {},
    onError: report,
  });
  const url = `http://${formatListenAddress(listener.address)}`;
  context.stdout(
    `credentials of ${roleArn} are given at ${url}\n` +
      `  for SDKs     AWS_EC2_METADATA_SERVICE_ENDPOINT=${url}\n` +
      `  containers   AWS_CONTAINER_CREDENTIALS_FULL_URI=${url}/credentials\n` +
      (options.containerTokenFile === undefined
        ? `               AWS_CONTAINER_AUTHORIZATION_TOKEN=${containerToken}\n`
        : ""),
  );
  const stopped = context.interruption();
  await new Promise<void>((resolve) => {
    if (stopped.aborted) return resolve();
    stopped.addEventListener("abort", () => resolve(), { once: true });
  });
  await listener.stop(1000);
}

/** An address of this machine: what is one hop away. */
function isOwnAddress(address: string): boolean {
  const bare = address.replace(/^::ffff:/, "");
  return Object.values(networkInterfaces()).some((list) =>
    list?.some((each) => each.address === bare),
  );
}

function arnOf(role: string, account: string): string {
  if (!role.startsWith("arn:")) return identityArn(account, "role", { path: "/", name: role });
  if (/^arn:aws:iam::\d{12}:role\/.+$/.test(role)) return role;
  throw new CommandError(`--role: ${role} is not the ARN of a role`, 2);
}

function partsOf(roleArn: string): { account: string; name: string } {
  return { account: roleArn.split(":")[4] ?? "", name: roleArn.split("/").at(-1) ?? "" };
}

function durationOf(text: string): number {
  const seconds = Number(text);
  if (Number.isInteger(seconds) && seconds >= 900 && seconds <= 43_200) return seconds;
  throw new CommandError("--duration: expected seconds from 900 to 43200", 2);
}
