/**
 * An installation of several regions as an operator makes it: `portolan chart init`, then one
 * `portolan serve --config` per region, each a process with a database and blobs of its own.
 *
 *     await using installation = await startRegionProcesses("us-east-1", "eu-west-1");
 *     await installation.aws("us-east-1", "put-replication-configuration", …);
 *     await installation.region("us-east-1").kill();
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "./command.ts";
import { freePort } from "./free-port.ts";
import {
  type Credentials,
  portolanCommand,
  type ServerProcess,
  startServer,
} from "./server-process.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

export interface RegionProcesses extends AsyncDisposable {
  readonly names: readonly string[];
  readonly account: string;
  readonly credentials: Credentials;
  region(name: string): ServerProcess;
  /** Runs `aws ecr …` with the root credentials. @returns what it printed, as JSON */
  aws(region: string, ...command: string[]): Promise<unknown>;
  /** The same with others. */
  awsAs(credentials: Credentials, region: string, ...command: string[]): Promise<unknown>;
  /** The path of a region's configuration. */
  configuration(name: string): string;
}

/** Debian's program; the one on the path may be the shim of a version manager. */
const awsProgram = existsSync("/usr/bin/aws") ? "/usr/bin/aws" : Bun.which("aws");
export const haveAws = awsProgram !== null;

export async function startRegionProcesses(...names: string[]): Promise<RegionProcesses> {
  const account = "111122223333";
  const directory = temporaryDirectory();
  const ports = new Map(names.map((name) => [name, freePort()]));
  const servers = new Map<string, ServerProcess>();
  const stop = async () => {
    for (const server of servers.values()) await server[Symbol.asyncDispose]();
    directory.remove();
  };
  try {
    const endpoints = names.map((name) => `${name}=http://127.0.0.1:${ports.get(name)}`);
    const out = ["--account", account, "--out", directory.path];
    await runCommand([...portolanCommand(), "chart", "init", ...endpoints, ...out]);
    const credentialsFile = join(directory.path, names[0] ?? "", "root-credentials");
    const credentials = parseCredentials(await Bun.file(credentialsFile).text());
    for (const name of names) {
      const server = await startServer({
        configuration: join(directory.path, name, "portolan.yaml"),
        port: ports.get(name) ?? 0,
        region: name,
        account,
        credentials,
      });
      servers.set(name, server);
    }
    const region = (name: string) => {
      const server = servers.get(name);
      if (server === undefined) throw new Error(`there is no region ${name}`);
      return server;
    };
    const configuration = (name: string) => join(directory.path, name, "portolan.yaml");
    const awsAs = async (keys: Credentials, name: string, ...command: string[]) => {
      const flags = ["--endpoint-url", region(name).endpoint, "--region", name];
      const stdout = await runCommand(
        [awsProgram ?? "aws", "ecr", ...command, ...flags, "--output", "json"],
        {
          environment: {
            AWS_ACCESS_KEY_ID: keys.accessKeyId,
            AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
            AWS_SHARED_CREDENTIALS_FILE: "/nonexistent",
            AWS_CONFIG_FILE: "/nonexistent",
            AWS_EC2_METADATA_DISABLED: "true",
            AWS_PAGER: "",
          },
        },
      );
      return stdout.trim() === "" ? undefined : JSON.parse(stdout);
    };
    return {
      names,
      account,
      credentials,
      region,
      configuration,
      awsAs,
      aws: (name, ...command) => awsAs(credentials, name, ...command),
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-files.html */
function parseCredentials(text: string): Credentials {
  const value = (name: string) =>
    new RegExp(`^${name} *= *(.+)$`, "m").exec(text)?.[1]?.trim() ?? "";
  return {
    accessKeyId: value("aws_access_key_id"),
    secretAccessKey: value("aws_secret_access_key"),
  };
}
