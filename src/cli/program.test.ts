import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CommandOutcome, runCommandLine } from "../../tests/support/command-context.ts";
import {
  type TemporaryDirectory,
  temporaryDirectory,
} from "../../tests/support/temporary-directory.ts";
import { version } from "../version.ts";

let directory: TemporaryDirectory;

beforeEach(() => {
  directory = temporaryDirectory();
});

afterEach(() => directory.remove());

function run(line: string, environment: Record<string, string> = {}): Promise<CommandOutcome> {
  return runCommandLine(line.split(" ").filter(Boolean), directory.path, environment);
}

test("every command has help with an example", async () => {
  const commands = ["serve", "chart init", "config", "config check", "completion", "version"];
  for (const command of commands) {
    const { stdout, exitCode } = await run(`${command} --help`);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`Usage: portolan ${command}`);
    expect(stdout).toMatch(/Examples?:/);
    expect(stdout).toMatch(/\$ portolan /);
  }
  expect((await run("--help")).stdout).toContain("chart");
});

test("mistakes are answered with a suggestion and exit code 2", async () => {
  const cases: readonly [string, string][] = [
    ["srve", "Did you mean serve?"],
    ["serve --regoin eu", "Did you mean --region?"],
    ["serve --listen", "argument missing"],
    ["chart init --account 1 --out x", "missing required argument"],
    ["chart init a1=http://a --out x", "required option '--account <id>' not specified"],
    ["completion tcsh", "Allowed choices are bash, zsh, fish"],
    ["serve extra", "too many arguments"],
  ];
  for (const [line, message] of cases) {
    const { exitCode, stderr, served } = await run(line);
    expect(stderr).toContain(message);
    expect(exitCode).toBe(2);
    expect(served).toEqual([]);
  }
});

test("version is told in both ways", async () => {
  expect((await run("--version")).stdout).toBe(`${version}\n`);
  expect((await run("version")).stdout).toContain(`portolan ${version} (bun `);
  expect(JSON.parse((await run("version --json")).stdout)).toMatchObject({ version });
});

test("serve finds its configuration by flag, variable and name", async () => {
  const write = (name: string, region: string) =>
    writeFileSync(join(directory.path, name), `region: ${region}\n`);
  const regionOf = ({ served }: CommandOutcome) => served[0]?.configuration.region;
  expect(regionOf(await run("serve"))).toBe("us-east-1");
  write("portolan.yaml", "by-name");
  write("variable.yaml", "by-variable");
  write("flag.yaml", "by-flag");
  expect(regionOf(await run("serve"))).toBe("by-name");
  const environment = { PORTOLAN_CONFIG: "variable.yaml" };
  expect(regionOf(await run("serve", environment))).toBe("by-variable");
  const byFlag = await run("serve --config flag.yaml", environment);
  expect(regionOf(byFlag)).toBe("by-flag");
  expect(byFlag.served[0]?.file).toBe(join(directory.path, "flag.yaml"));
  mkdirSync(join(directory.path, "folder"));
  const folder = await run("serve --config folder");
  expect(folder.exitCode).toBe(2);
  expect(folder.stderr).toContain("did you mean folder/portolan.yaml?");
});

test("flags with dashes reach their entries", async () => {
  const { served } = await run(
    "serve --tls-certificate c.pem --tls-key k.pem --log-requests none --set limits.idle=9s --set limits.tagsPage=7",
  );
  const configuration = served[0]?.configuration;
  expect(configuration?.tls).toEqual({
    certificate: join(directory.path, "c.pem"),
    key: join(directory.path, "k.pem"),
  });
  expect(configuration?.log.requests).toBe("none");
  expect(configuration?.limits.idle).toEqual({ milliseconds: 9000 });
  expect(configuration?.limits.tagsPage).toBe(7);
});

test("config prints what serve would run with, and reads it back", async () => {
  const environment = {
    PORTOLAN_LOG_LEVEL: "debug",
    PORTOLAN_METADATA_DRIVER: "postgres",
    PORTOLAN_METADATA_URL: "postgres://portolan:hunter2@db/portolan",
    PORTOLAN_ROOT_ACCESS_KEY_ID: "AKIA0000000000000000",
    PORTOLAN_ROOT_SECRET_ACCESS_KEY: "hunter2hunter2hunter2",
  };
  const yaml = await run("config --listen :7000", environment);
  expect(yaml.stdout).toContain("listen: :7000  # --listen\n");
  expect(yaml.stdout).toContain("level: debug  # PORTOLAN_LOG_LEVEL\n");
  expect(yaml.stdout).toContain("# accessKeyId: AKIA0000000000000000  # PORTOLAN_ROOT_");
  expect(yaml.stdout).not.toContain("hunter2");
  const json = await run("config --json --listen :7000", environment);
  expect(json.stdout).not.toContain("hunter2");
  expect(JSON.parse(json.stdout)).toMatchObject({
    file: null,
    configuration: { listen: { port: 7000 }, metadata: { url: "(hidden)" } },
    origins: { listen: "--listen", "metadata.url": "PORTOLAN_METADATA_URL" },
  });
  // Without secrets, what it prints is a configuration that means the same.
  const plain = await run("config --set limits.idle=9s");
  writeFileSync(join(directory.path, "printed.yaml"), plain.stdout);
  const again = await run("config --json --config printed.yaml");
  const before = await run("config --json --set limits.idle=9s");
  expect(JSON.parse(again.stdout).configuration).toEqual(JSON.parse(before.stdout).configuration);
});

test("config check names every file that cannot be used", async () => {
  const line =
    "config check --tls-certificate c.pem --tls-key k.pem --set installationKey=i --set root.credentials=r";
  const { exitCode, stderr } = await run(line);
  expect(exitCode).toBe(1);
  for (const name of ["c.pem", "i", "r"]) {
    expect(stderr).toContain(`${join(directory.path, name)}: cannot be read (ENOENT)`);
  }
  expect((await run("config check")).stdout).toBe("the configuration is valid\n");
});
