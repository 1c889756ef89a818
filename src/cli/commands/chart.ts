/** `portolan chart init`: the configurations, keys and credentials of a whole installation. */
import { chmod, mkdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { stringify } from "yaml";
import type { ChartRegion } from "../../runtime/chart-values.ts";
import {
  accountPattern,
  formatListenAddress,
  parseEndpoint,
  regionNamePattern,
} from "../../runtime/configuration-values.ts";
import {
  formatRootCredentials,
  generateInstallationKey,
  generateRegionKey,
  generateRootCredentials,
  type RootCredentials,
  readInstallationKey,
  readRegionKey,
  readRootCredentials,
  writeSecretFile,
} from "../../runtime/secret-files.ts";
import { type CommandContext, CommandError } from "../command-context.ts";
import { configurationFileName } from "../configuration-options.ts";

interface RegionArgument {
  readonly name: string;
  readonly endpoint: string;
}

interface InitOptions {
  readonly account: string;
  readonly out: string;
  readonly force?: true;
  readonly json?: true;
}

export function addChartCommand(program: Command, context: CommandContext): void {
  const chart = program.command("chart").description("the regions of an installation");
  chart
    .command("init")
    .description("write one ready configuration per region, with its keys and root credentials")
    .argument("<region=endpoint...>", "every region with the URL by which the others reach it")
    .requiredOption("--account <id>", "the account of the root credentials, twelve digits")
    .requiredOption("--out <directory>", "where to write; each region gets a directory below")
    .option(
      "--force",
      "rewrite configurations that exist; keys and credentials that exist are kept",
    )
    .option("--json", "print what was written as JSON")
    .addHelpText(
      "after",
      `
Each directory is complete: copy DIR/<region> to the machine of that region.

Examples:
  Three regions on this machine:
    $ portolan chart init us-east-1=http://127.0.0.1:5001 eu-west-1=http://127.0.0.1:5002 \\
        sa-east-1=http://127.0.0.1:5003 --account 111122223333 --out chart
    $ portolan serve --config chart/us-east-1/portolan.yaml

  Add a region later; the regions that exist keep their keys:
    $ portolan chart init us-east-1=… eu-west-1=… ap-south-1=https://ap.example.com \\
        --account 111122223333 --out chart --force`,
    )
    .action((regions: string[], options: InitOptions) => initChart(regions, options, context));
}

async function initChart(
  texts: readonly string[],
  options: InitOptions,
  context: CommandContext,
): Promise<void> {
  const regions = parseRegions(texts, options);
  const out = resolve(context.workingDirectory, options.out);
  const directoryOf = (region: RegionArgument) => join(out, region.name);
  if (!options.force) await refuseToOverwrite(regions.map(directoryOf));

  const secrets = await sharedSecrets(regions.map(directoryOf), context);
  const chart: ChartRegion[] = [];
  for (const region of regions) {
    const directory = directoryOf(region);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const regionKey = join(directory, "region-key.pem");
    if (!(await exists(regionKey))) await writeSecretFile(regionKey, generateRegionKey());
    const { publicKey } = await readRegionKey(regionKey);
    chart.push({ ...region, publicKey });
    await writeSecretFile(join(directory, "installation-key"), secrets.installationKey);
    await writeSecretFile(
      join(directory, "root-credentials"),
      formatRootCredentials(secrets.rootCredentials),
    );
  }
  // The configurations last: one that exists is complete.
  for (const region of regions) {
    const path = join(directoryOf(region), configurationFileName);
    await writeSecretFile(path, regionConfiguration(region, options.account, chart));
    // Nothing in it is secret.
    await chmod(path, 0o644);
  }
  report(regions, directoryOf, secrets.rootCredentials, options, context);
}

function parseRegions(texts: readonly string[], options: InitOptions): RegionArgument[] {
  const problems: string[] = [];
  const regions: RegionArgument[] = [];
  for (const text of texts) {
    const equals = text.indexOf("=");
    const name = text.slice(0, Math.max(equals, 0));
    const endpoint = parseEndpoint(text.slice(equals + 1));
    if (equals < 0) problems.push(`${text}: expected REGION=ENDPOINT`);
    else if (!regionNamePattern.test(name)) {
      problems.push(`${text}: a region name has 2 to 25 characters from a-z, 0-9 and -`);
    } else if (endpoint === undefined) {
      problems.push(
        `${text}: an endpoint is an http:// or https:// URL without user, path or query`,
      );
    } else if (regions.some((region) => region.name === name)) {
      problems.push(`${text}: the region ${name} is named twice`);
    } else if (regions.some((region) => region.endpoint === endpoint)) {
      problems.push(`${text}: two regions have the endpoint ${endpoint}`);
    } else regions.push({ name, endpoint });
  }
  if (!accountPattern.test(options.account)) {
    problems.push(`--account ${options.account}: an account id has twelve digits`);
  }
  if (problems.length > 0) throw new CommandError(problems.join("\n"), 2);
  return regions;
}

async function refuseToOverwrite(directories: readonly string[]): Promise<void> {
  const present: string[] = [];
  for (const directory of directories) {
    const path = join(directory, configurationFileName);
    if (await exists(path)) present.push(path);
  }
  if (present.length === 0) return;
  throw new CommandError(
    `${present.join("\n")}\nalready there; --force rewrites configurations and keeps keys and credentials`,
  );
}

interface SharedSecrets {
  /** As in the file. */
  readonly installationKey: string;
  readonly rootCredentials: RootCredentials;
}

/** Those of the first region that has them: they must be the same everywhere. */
async function sharedSecrets(
  directories: readonly string[],
  context: CommandContext,
): Promise<SharedSecrets> {
  let installationKey: string | undefined;
  let rootCredentials: RootCredentials | undefined;
  for (const directory of directories) {
    const keyPath = join(directory, "installation-key");
    if (installationKey === undefined && (await exists(keyPath))) {
      installationKey = `${Buffer.from(await readInstallationKey(keyPath)).toString("base64")}\n`;
    }
    const credentialsPath = join(directory, "root-credentials");
    if (rootCredentials === undefined && (await exists(credentialsPath))) {
      rootCredentials = await readRootCredentials(credentialsPath);
    }
  }
  return {
    installationKey: installationKey ?? generateInstallationKey(context.random),
    rootCredentials: rootCredentials ?? generateRootCredentials(context.random),
  };
}

function regionConfiguration(
  region: RegionArgument,
  account: string,
  chart: readonly ChartRegion[],
): string {
  const url = new URL(region.endpoint);
  const port = Number(url.port || (url.protocol === "https:" ? 443 : 80));
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  const isLoopback = /^(127\.[\d.]+|localhost|::1)$/.test(hostname);
  const listen = formatListenAddress({ hostname: isLoopback ? hostname : "::", port });
  const tls =
    url.protocol === "https:"
      ? "# The endpoint is https: name a certificate here, or end TLS in a proxy before this server.\n# tls:\n#   certificate: certificate.pem\n#   key: certificate-key.pem\n"
      : "";
  const first = stringify({ region: region.name, account, listen, data: "data" });
  const second = stringify({
    root: { credentials: "root-credentials" },
    installationKey: "installation-key",
    regionKey: "region-key.pem",
    chart,
  });
  return `# Written by portolan chart init. Every entry: docs/reference/configuration.md\n${first}${tls}${second}`;
}

function report(
  regions: readonly RegionArgument[],
  directoryOf: (region: RegionArgument) => string,
  rootCredentials: RootCredentials,
  options: InitOptions,
  context: CommandContext,
): void {
  const written = regions.map((region) => ({
    ...region,
    configuration: join(directoryOf(region), configurationFileName),
    rootCredentials: join(directoryOf(region), "root-credentials"),
  }));
  if (options.json) {
    const document = { account: options.account, regions: written, rootCredentials };
    context.stdout(`${JSON.stringify(document, null, 2)}\n`);
    return;
  }
  const lines = written.map(({ name, endpoint, configuration }) => {
    return `${name.padEnd(25)} ${endpoint.padEnd(30)} ${configuration}`;
  });
  context.stdout(
    `${lines.join("\n")}

Root credentials of account ${options.account}, the same in every region:
  access key id      ${rootCredentials.accessKeyId}
  secret access key  ${rootCredentials.secretAccessKey}
They are in ${written[0]?.rootCredentials ?? ""}, which AWS_SHARED_CREDENTIALS_FILE can name.

Start a region:
  portolan serve --config ${written[0]?.configuration ?? ""}
`,
  );
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}
