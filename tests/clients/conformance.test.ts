/**
 * The official conformance suite against a real server: no failure and no skip.
 * https://github.com/opencontainers/distribution-spec/tree/main/conformance
 *
 * Its exit code is not believed: it ends with 0 when it could not read its configuration, and a
 * feature that it found "unsupported" passes. So its reports are counted here.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { attemptCommand } from "../support/command.ts";
import { requirement } from "../support/require.ts";
import { type ServerProcess, startServer } from "../support/server-process.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { findTool } from "../support/tools.ts";

// Images of a hundred megabytes on a busy machine.
setDefaultTimeout(120_000);

const suite = process.env.PORTOLAN_CONFORMANCE ?? findTool("conformance");
const available = requirement(
  "conformance",
  suite !== undefined && existsSync(suite),
  "the OCI conformance suite (a build of distribution-spec/conformance, named by PORTOLAN_CONFORMANCE)",
);

/** How many cases each version had in 2026-11, rounded down: a run that stopped early is no pass. */
const versions = [
  { version: "1.1", passesExpected: 800 },
  { version: "dev", passesExpected: 900 },
];

describe.skipIf(!available)("OCI conformance suite", () => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  test.each(versions)(
    "version $version: no failure, no skip",
    async ({ version, passesExpected }) => {
      using results = temporaryDirectory();
      // `env -i`: every other OCI_ variable of the machine would change what is tested.
      const environment = {
        OCI_REGISTRY: server.host,
        OCI_TLS: "disabled",
        OCI_REPO1: `conformance-${version}/one`,
        OCI_REPO2: `conformance-${version}/two`,
        OCI_USERNAME: server.credentials.accessKeyId,
        OCI_PASSWORD: server.credentials.secretAccessKey,
        OCI_RESULTS_DIR: results.path,
        OCI_VERSION: version,
      };
      const assignments = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
      const { stdout, stderr } = await attemptCommand(["env", "-i", ...assignments, suite ?? ""], {
        directory: results.path,
      });

      const reports = ["junit.xml", "results.yaml"].map((name) => join(results.path, name));
      for (const report of reports) {
        if (!existsSync(report)) throw new Error(`the suite wrote no ${report}: ${stderr}`);
      }
      const cases = [...stdout.matchAll(/^ *(OCI Conformance Test\/.*): (\w+)$/gm)];
      const troubles = cases.filter(([, , status]) => status !== "Pass" && status !== "Disabled");
      expect(troubles.map(([line]) => line.trim())).toEqual([]);
      expect(cases.filter(([, , status]) => status === "Pass").length).toBeGreaterThan(
        passesExpected,
      );
      const junit = await Bun.file(reports[0] ?? "").text();
      expect(junit.match(/status="(failure|error)"|<failure|<error/g)).toBeNull();

      const yaml = Bun.YAML.parse(await Bun.file(reports[1] ?? "").text());
      expect(notPassed(yaml as ConformanceResults)).toEqual([
        ...(disabledByVersion[version] ?? []),
      ]);
    },
  );
});

/** What version 1.1 does not have yet, and pushing manifests whose children are missing. */
const disabledByVersion: Readonly<Record<string, readonly string[]>> = {
  "1.1": [
    "Blob upload cancel: Disabled",
    "Manifest put with tag params: Disabled",
    "Sparse Manifests: Disabled",
    "Tag Param sha512: Disabled",
    "Tag Param: Disabled",
  ],
  dev: ["Sparse Manifests: Disabled"],
};

interface ConformanceResults {
  readonly apis: Readonly<Record<string, string>>;
  readonly data: Readonly<Record<string, string>>;
}

function notPassed({ apis, data }: ConformanceResults): string[] {
  return Object.entries({ ...apis, ...data })
    .filter(([, status]) => status !== "Pass")
    .map(([name, status]) => `${name}: ${status}`)
    .sort();
}
