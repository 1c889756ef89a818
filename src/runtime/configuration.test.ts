import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { defaultOciSettings } from "../oci/endpoint.ts";
import { registrySettings } from "../open-registry.ts";
import { defaultRegistrySettings } from "../registry/context.ts";
import {
  ConfigurationError,
  type ConfigurationProblem,
  type ConfigurationSources,
  resolveConfiguration,
} from "./configuration.ts";
import { namedEntries } from "./configuration-entries.ts";

const publicKey = "Q7P5XyKDKpk46BykeJIgP1JLOMyy_Y11boivuFWuGmo";

function resolveWith(sources: Partial<ConfigurationSources>) {
  return resolveConfiguration({ workingDirectory: "/work", ...sources });
}

const file = (text: string, path = "portolan.yaml") => ({ path, text });

function problemsOf(sources: Partial<ConfigurationSources>): readonly ConfigurationProblem[] {
  try {
    resolveWith(sources);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return [];
}

describe("precedence", () => {
  const yaml = file("listen: :1\nlog: { level: warn }\n");

  test("a flag wins over the environment, that over the file, that over the default", () => {
    const environment = { PORTOLAN_LISTEN: ":2", PORTOLAN_LOG_LEVEL: "error" };
    const all = resolveWith({ file: yaml, environment, flags: { listen: ":3" } });
    expect(all.configuration.listen.port).toBe(3);
    expect(all.configuration.log.level).toBe("error");
    expect(Object.fromEntries(all.origins)).toEqual({
      listen: "--listen",
      "log.level": "PORTOLAN_LOG_LEVEL",
    });
    expect(resolveWith({ file: yaml, environment }).configuration.listen.port).toBe(2);
    expect(resolveWith({ file: yaml }).configuration.listen.port).toBe(1);
    expect(resolveWith({}).configuration.listen).toEqual({ hostname: "127.0.0.1", port: 5001 });
  });

  test("--set reaches every entry that is not secret, also with an equals sign in its value", () => {
    const { configuration } = resolveWith({ assignments: ["limits.idle=2m", "data=/a=b"] });
    expect(configuration.limits.idle.milliseconds).toBe(120_000);
    expect(configuration.data).toBe("/a=b");
  });

  test("an empty variable counts as not set", () => {
    expect(resolveWith({ environment: { PORTOLAN_LISTEN: "" } }).origins.size).toBe(0);
  });

  test("relative paths begin at the file that names them, else at the working directory", () => {
    const named = file("data: data\nroot: { credentials: ../root }", "chart/eu/portolan.yaml");
    const fromFile = resolveWith({ file: named }).configuration;
    expect(fromFile.data).toBe("/work/chart/eu/data");
    expect(fromFile.root.credentials).toBe("/work/chart/root");
    const overridden = resolveWith({ file: named, environment: { PORTOLAN_DATA: "data" } });
    expect(overridden.configuration.data).toBe("/work/data");
    expect(resolveWith({}).configuration.data).toBe("/work/.portolan");
  });
});

describe("values", () => {
  const accepted: readonly [string, string, unknown][] = [
    ["account", "111122223333", "111122223333"],
    ["listen", ":5001", { hostname: "::", port: 5001 }],
    ["listen", "[::1]:5001", { hostname: "::1", port: 5001 }],
    ["listen", "registry.internal:0", { hostname: "registry.internal", port: 0 }],
    ["endpoint", "https://Example.com:443/", "https://example.com"],
    ["limits.idle", "90s", { milliseconds: 90_000 }],
    ["registry.uploadExpiry", "1.5h", { milliseconds: 5_400_000 }],
    ["registry.garbageGrace", "0", { milliseconds: 0 }],
    ["registry.manifestLimit", "4MiB", { bytes: 4 * 1024 ** 2 }],
    ["registry.blobLimit", "1073741824", { bytes: 1024 ** 3 }],
    ["registry.creationTemplates", "none", "none"],
    ["limits.tagsPage", "50", 50],
  ];
  test.each(accepted)("%s takes %s", (path, text, expected) => {
    const key = path.split(".");
    const yaml = key.reduceRight((value, name) => `{ ${name}: ${value} }`, `"${text}"`);
    for (const sources of [{ assignments: [`${path}=${text}`] }, { file: file(yaml) }]) {
      const value = key.reduce<unknown>(
        (node, name) => (node as Record<string, unknown>)[name],
        resolveWith(sources).configuration,
      );
      expect(value).toEqual(expected);
    }
  });

  const refused: readonly [string, string][] = [
    ["region", "US-EAST-1"],
    ["region", "x"],
    ["region", "a".repeat(26)],
    ["account", "11112222333"],
    ["account", "111122223333 "],
    ["listen", "5001"],
    ["listen", "::1:5001"],
    ["listen", "localhost:65536"],
    ["listen", "http://localhost:5001"],
    ["endpoint", "ftp://example.com"],
    ["endpoint", "https://user:password@example.com"],
    ["endpoint", "https://example.com/v2"],
    ["endpoint", "example.com"],
    ["limits.idle", "60"],
    ["limits.idle", "7s"],
    ["limits.idle", "-1s"],
    ["limits.idle", "256s"],
    ["registry.manifestLimit", "4MB"],
    ["registry.manifestLimit", "4.5MiB"],
    ["registry.blobLimit", "99999999999999TiB"],
    ["registry.creationTemplates", "yes"],
    ["limits.tagsPage", "0"],
    ["limits.tagsPage", "1e3"],
    ["limits.tagsPage", "0x10"],
    ["log.level", "verbose"],
    ["data", "a\0b"],
    ["data", ""],
  ];
  test.each(refused)("%s refuses %j and says what is expected", (path, text) => {
    const [problem, ...others] = problemsOf({ assignments: [`${path}=${text}`] });
    expect(others).toEqual([]);
    expect(problem?.source).toBe("--set");
    expect(problem?.path).toBe(path);
    expect(problem?.message).toStartWith("expected ");
  });
});

describe("problems", () => {
  test("all are reported at once, each with its place", () => {
    const problems = problemsOf({
      file: file(
        "region: us-east-1\nregoin: eu\nlimits:\n  idle: soon\n  idel: 1m\nlisten: [1]\nlog: debug\nidle: 1m\n",
        "conf/portolan.yaml",
      ),
      environment: { PORTOLAN_LOG_LEVL: "debug", PORTOLAN_ACCOUNT: "12" },
      flags: { endpoint: "nowhere" },
      assignments: ["limits.headrs=1", "metadata.url=postgres://x", "tls"],
    });
    expect(problems.map(({ source, path }) => `${source} ${path}`).sort()).toEqual(
      [
        "--endpoint endpoint",
        "--set limits.headrs",
        "--set metadata.url",
        "--set tls",
        "PORTOLAN_ACCOUNT account",
        "PORTOLAN_LOG_LEVL ",
        "conf/portolan.yaml:2:1 regoin",
        "conf/portolan.yaml:4:9 limits.idle",
        "conf/portolan.yaml:5:3 limits.idel",
        "conf/portolan.yaml:6:9 listen",
        "conf/portolan.yaml:7:1 log",
        "conf/portolan.yaml:8:1 idle",
      ].sort(),
    );
    const hint = (path: string) => problems.find((problem) => problem.path === path)?.message;
    expect(hint("regoin")).toContain("did you mean region?");
    expect(hint("limits.idel")).toContain("did you mean idle?");
    expect(hint("limits.headrs")).toContain("did you mean limits.headers?");
    expect(hint("idle")).toContain("did you mean limits.idle?");
    expect(hint("")).toContain("did you mean PORTOLAN_LOG_LEVEL?");
  });

  test("a value that is overridden must be right all the same", () => {
    const problems = problemsOf({ file: file("listen: nonsense"), flags: { listen: ":1" } });
    expect(problems.map(({ source }) => source)).toEqual(["portolan.yaml:1:9"]);
  });

  test("the chart's problems name the region and the line", () => {
    const chart = `region: us-east-1
regionKey: key.pem
chart:
  - name: us-east-1
    endpoint: http://127.0.0.1:5001
    publicKey: ${publicKey}
  - name: eu-west-1
    endpoint: nowhere
    publicKey: short
    colour: blue
`;
    expect(problemsOf({ file: file(chart) })).toEqual([
      expect.objectContaining({ source: "portolan.yaml:8:15", path: "chart[1].endpoint" }),
      expect.objectContaining({ source: "portolan.yaml:9:16", path: "chart[1].publicKey" }),
      expect.objectContaining({ path: "chart[1].colour" }),
    ]);
  });

  test("a region may say where it is", () => {
    const chart = (place: string) => `region: nowhere-1
regionKey: key.pem
chart:
  - { name: nowhere-1, endpoint: "http://a", publicKey: ${publicKey}, place: ${place} }
`;
    const right = resolveWith({ file: file(chart("{ latitude: -3.7, longitude: -38.5 }")) });
    expect(right.configuration.chart[0]?.place).toEqual({ latitude: -3.7, longitude: -38.5 });
    for (const place of ["{ latitude: 91, longitude: 0 }", "{ latitude: 1 }", "here"]) {
      expect(problemsOf({ file: file(chart(place)) }).length).toBeGreaterThan(0);
    }
  });

  const combinations: readonly [string, Partial<ConfigurationSources>, string][] = [
    ["certificate without key", { assignments: ["tls.certificate=c.pem"] }, "tls.key"],
    ["key without certificate", { assignments: ["tls.key=c.pem"] }, "tls.certificate"],
    ["postgres without URL", { assignments: ["metadata.driver=postgres"] }, "metadata.url"],
    [
      "a URL for the embedded database",
      { environment: { PORTOLAN_METADATA_URL: "postgres://localhost/portolan" } },
      "metadata.url",
    ],
    [
      "half of the root credentials",
      { environment: { PORTOLAN_ROOT_ACCESS_KEY_ID: "AKIA0000000000000000" } },
      "root.secretAccessKey",
    ],
    [
      "a chart without this region",
      {
        file: file(
          `regionKey: k\nchart: [{ name: eu-west-1, endpoint: "http://a", publicKey: ${publicKey} }]`,
        ),
      },
      "chart",
    ],
    [
      "a chart without a key",
      {
        file: file(`chart: [{ name: us-east-1, endpoint: "http://a", publicKey: ${publicKey} }]`),
      },
      "regionKey",
    ],
    [
      "a first wait longer than the longest",
      { assignments: ["replication.retryInitial=10m"] },
      "replication.retryInitial",
    ],
  ];
  test.each(combinations)("%s is refused", (_, sources, path) => {
    expect(problemsOf(sources).map((problem) => problem.path)).toEqual([path]);
  });

  test("secrets have no place in flags, and root credentials none in the file", () => {
    const yaml = file("root:\n  secretAccessKey: 0123456789012345\n");
    const [inFile] = problemsOf({ file: yaml });
    expect(inFile?.message).toContain("PORTOLAN_ROOT_SECRET_ACCESS_KEY");
    const [inFlag] = problemsOf({ assignments: ["root.secretAccessKey=0123456789012345"] });
    expect(inFlag?.message).toContain("only come from the environment");
  });

  test("a wrong secret is not repeated in the message", () => {
    const secret = "too short";
    const problems = problemsOf({
      environment: {
        PORTOLAN_ROOT_ACCESS_KEY_ID: "AKIA0000000000000000",
        PORTOLAN_ROOT_SECRET_ACCESS_KEY: secret,
        PORTOLAN_METADATA_URL: `mysql://root:${secret}@localhost/x`,
      },
    });
    expect(problems.map(({ path }) => path).sort()).toEqual([
      "metadata.url",
      "root.secretAccessKey",
    ]);
    expect(JSON.stringify(problems)).not.toContain(secret);
  });

  test("what Kubernetes and the test suites set is no configuration", () => {
    const environment = {
      PORTOLAN_SERVICE_HOST: "10.0.0.1",
      PORTOLAN_SERVICE_PORT_HTTP: "5001",
      PORTOLAN_PORT: "tcp://10.0.0.1:5001",
      PORTOLAN_PORT_5001_TCP_ADDR: "10.0.0.1",
      PORTOLAN_REQUIRE: "postgres",
      PORTOLAN_TEST_POSTGRES_URL: "postgres://localhost",
      OTHER_LISTEN: ":1",
    };
    expect(problemsOf({ environment })).toEqual([]);
  });
});

describe("the file", () => {
  const broken: readonly [string, string][] = [
    ["a tab as indentation", "limits:\n\tidle: 1m"],
    ["a key twice", "region: a1\nregion: b1"],
    ["a list", "- region"],
    ["a word", "region"],
    ["an unclosed brace", "{ region: us-east-1"],
    ["an alias for a group", "a: &a { idle: 1m }\nlimits: *a"],
  ];
  test.each(broken)("%s is refused with its line", (_, text) => {
    const problems = problemsOf({ file: file(text) });
    expect(problems.length).toBeGreaterThan(0);
    for (const problem of problems) expect(problem.source).toMatch(/^portolan\.yaml:\d+:\d+$/);
  });

  test("an empty file, a comment and keys without values say nothing", () => {
    for (const text of ["", "# nothing\n", "---\n", "region:\nlimits:\n", "tls:\n  key:\n"]) {
      expect(resolveWith({ file: file(text) }).origins.size).toBe(0);
    }
  });

  test("nested aliases do not unfold into gigabytes", () => {
    const levels = Array.from({ length: 12 }, (_, i) => {
      const before = i === 0 ? '"x"' : `*a${i - 1}`;
      return `  - &a${i} [${Array(9).fill(before).join(", ")}]`;
    });
    const text = `regionKey: k\nchart:\n${levels.join("\n")}\n`;
    expect(problemsOf({ file: file(text) }).length).toBeGreaterThan(0);
  });

  test("no text makes it fail in another way than by a ConfigurationError", () => {
    const words = fc.constantFrom(
      ...["region", "limits", "idle", "chart", "name", "tls", "key", ":", "-", "\n", "  ", "{"],
      ...["}", "[", "]", "&a", "*a", "!!binary", "!!set", "? ", "|", '"', "'", "#", "~", "1", "<<"],
    );
    const text = fc.oneof(
      fc
        .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 60 })
        .map((codes) => String.fromCharCode(...codes)),
      fc.array(words).map((parts) => parts.join("")),
      fc.array(words).map((parts) => parts.join(" ")),
    );
    fc.assert(
      fc.property(text, (yaml) => {
        for (const problem of problemsOf({ file: file(yaml) })) {
          expect(problem.source).toStartWith("portolan.yaml");
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe("the table", () => {
  test("defaults are what the registry's own are", () => {
    const { configuration } = resolveWith({});
    expect(registrySettings(configuration)).toEqual({
      ...defaultRegistrySettings,
      createRepositoryOnPush: false,
    });
    expect(configuration.limits.tagsPage).toBe(defaultOciSettings.tagsPageLimit);
    expect(configuration.limits.catalogPage).toBe(defaultOciSettings.catalogPageLimit);
  });

  test("defaults are values that a person could write", () => {
    for (const { path, entry } of namedEntries()) {
      if (entry.default === undefined || entry.only === "file") continue;
      const text = entry.type.format(entry.default);
      expect(problemsOf({ assignments: [`${path}=${text}`] })).toEqual([]);
    }
  });

  test("no two entries share a variable or a flag", () => {
    const names = namedEntries().flatMap(({ variable, flag }) =>
      [variable ?? [], flag ?? []].flat(),
    );
    expect(new Set(names).size).toBe(names.length);
  });

  test("durations, sizes and addresses come back from their text", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 60_000, max: 365 * 86_400_000 }),
        fc.integer({ min: 1024 ** 2, max: 64 * 1024 ** 4 }),
        fc.integer({ min: 0, max: 65_535 }),
        (milliseconds, bytes, port) => {
          const { configuration: first } = resolveWith({
            assignments: [
              `registry.uploadExpiry=${milliseconds}ms`,
              `registry.blobLimit=${bytes}`,
              `listen=:${port}`,
            ],
          });
          const entries = new Map(namedEntries().map(({ path, entry }) => [path, entry.type]));
          const again = (path: string, value: unknown) =>
            `${path}=${entries.get(path)?.format(value)}`;
          const { configuration: second } = resolveWith({
            assignments: [
              again("registry.uploadExpiry", first.registry.uploadExpiry),
              again("registry.blobLimit", first.registry.blobLimit),
              again("listen", first.listen),
            ],
          });
          expect(first.registry.uploadExpiry.milliseconds).toBe(milliseconds);
          expect(second).toEqual(first);
        },
      ),
      { numRuns: 50 },
    );
  });
});
