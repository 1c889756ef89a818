import { afterEach, beforeEach, expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CommandOutcome, runCommandLine } from "../../../tests/support/command-context.ts";
import {
  type TemporaryDirectory,
  temporaryDirectory,
} from "../../../tests/support/temporary-directory.ts";
import { resolveConfiguration } from "../../runtime/configuration.ts";
import { checkInstallationFiles } from "../../runtime/installation-files.ts";

let directory: TemporaryDirectory;

beforeEach(() => {
  directory = temporaryDirectory();
});

afterEach(() => directory.remove());

const run = (line: string): Promise<CommandOutcome> =>
  runCommandLine(line.split(" "), directory.path);

const regions =
  "us-east-1=http://127.0.0.1:5001 eu-west-1=https://eu.example.com ap-south-1=http://[::1]:8080/";
const init = `chart init ${regions} --account 111122223333 --out chart`;

function read(region: string) {
  const path = join(directory.path, "chart", region, "portolan.yaml");
  const text = readFileSync(path, "utf8");
  return {
    text,
    ...resolveConfiguration({ workingDirectory: "/", file: { path, text } }).configuration,
  };
}

const file = (region: string, name: string) =>
  readFileSync(join(directory.path, "chart", region, name), "utf8");

test("each region gets a complete, valid configuration with keys for its owner alone", async () => {
  const { exitCode, stdout } = await run(init);
  expect(exitCode).toBe(0);
  const names = ["us-east-1", "eu-west-1", "ap-south-1"];
  for (const name of names) {
    const path = join(directory.path, "chart", name);
    expect(readdirSync(path).sort()).toEqual([
      ...["installation-key", "portolan.yaml", "region-key.pem", "root-credentials"],
    ]);
    for (const secret of ["installation-key", "region-key.pem", "root-credentials"]) {
      expect(statSync(join(path, secret)).mode & 0o777).toBe(0o600);
    }
    const configuration = read(name);
    expect(configuration.region).toBe(name);
    expect(configuration.account).toBe("111122223333");
    expect(configuration.data).toBe(join(path, "data"));
    expect(configuration.chart.map((region) => region.name)).toEqual(names);
    // Every region's private key is the one whose public half is in everybody's chart.
    const { problems, warnings } = await checkInstallationFiles(configuration);
    expect([...problems, ...warnings]).toEqual([]);
  }
  expect(read("us-east-1").listen).toEqual({ hostname: "127.0.0.1", port: 5001 });
  expect(read("ap-south-1").listen).toEqual({ hostname: "::1", port: 8080 });
  expect(read("ap-south-1").chart[2]?.endpoint).toBe("http://[::1]:8080");
  expect(read("eu-west-1").listen).toEqual({ hostname: "::", port: 443 });
  expect(read("eu-west-1").text).toContain("certificate: certificate.pem");
  // Shared by all, and printed once.
  for (const shared of ["installation-key", "root-credentials"]) {
    expect(new Set(names.map((name) => file(name, shared))).size).toBe(1);
  }
  expect(new Set(names.map((name) => file(name, "region-key.pem"))).size).toBe(3);
  const secret = /aws_secret_access_key = (\S+)/.exec(file("us-east-1", "root-credentials"))?.[1];
  expect(stdout.split(String(secret))).toHaveLength(2);
});

test("--json tells where everything is", async () => {
  const written = JSON.parse((await run(`${init} --json`)).stdout);
  expect(written.account).toBe("111122223333");
  expect(written.regions[1]).toMatchObject({
    name: "eu-west-1",
    endpoint: "https://eu.example.com",
    configuration: join(directory.path, "chart", "eu-west-1", "portolan.yaml"),
  });
  expect(written.rootCredentials.accessKeyId).toMatch(/^AKIA[A-Z2-7]{16}$/);
});

test("nothing is overwritten without --force, which keeps keys and credentials", async () => {
  await run(init);
  const before = ["installation-key", "root-credentials", "region-key.pem"].map((name) =>
    file("us-east-1", name),
  );
  const refused = await run(`${init} sa-east-1=http://127.0.0.1:5004`);
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toContain(join(directory.path, "chart", "us-east-1", "portolan.yaml"));
  expect(readdirSync(join(directory.path, "chart"))).not.toContain("sa-east-1");

  const forced = await run(`${init} sa-east-1=http://127.0.0.1:5004 --force`);
  expect(forced.exitCode).toBe(0);
  const after = ["installation-key", "root-credentials", "region-key.pem"].map((name) =>
    file("us-east-1", name),
  );
  expect(after).toEqual(before);
  expect(file("sa-east-1", "root-credentials")).toBe(file("us-east-1", "root-credentials"));
  expect(read("us-east-1").chart.map(({ name }) => name)).toContain("sa-east-1");
});

test("a damaged key is not silently replaced", async () => {
  await run(init);
  const path = join(directory.path, "chart", "us-east-1", "installation-key");
  writeFileSync(path, "damaged");
  const { exitCode, stderr } = await run(`${init} --force`);
  expect(exitCode).toBe(1);
  expect(stderr).toContain(`${path}: expected 32 bytes in base64`);
  expect(readFileSync(path, "utf8")).toBe("damaged");
});

test("all wrong arguments are named at once, and nothing is written", async () => {
  const { exitCode, stderr } = await run(
    "chart init us-east-1 EU=http://a b1=ftp://a c1=http://a/v2 d1=http://a d1=http://b e1=http://a ../x=http://c --account 12 --out chart",
  );
  expect(exitCode).toBe(2);
  const wrong = ["us-east-1:", "EU=", "b1=", "c1=", "d1=http://b", "e1=", "../x=", "--account 12"];
  for (const argument of wrong) expect(stderr).toContain(argument);
  expect(readdirSync(directory.path)).toEqual([]);
});
