/**
 * Reads a configuration: flags over environment over portolan.yaml over defaults. Everything that
 * is wrong is reported at once, each problem with the place where it was written.
 */
import { dirname, resolve } from "node:path";
import * as v from "valibot";
import { checkTogether } from "./configuration-checks.ts";
import {
  type Configuration,
  configurationEntries,
  type EntryTree,
  isEntry,
  type NamedEntry,
  namedEntries,
} from "./configuration-entries.ts";
import { parseConfigurationFile } from "./configuration-file.ts";
import { suggestion } from "./suggestion.ts";

export interface ConfigurationSources {
  /** By the entry's path, such as `limits.idle`; values as text. */
  readonly flags?: Readonly<Record<string, string>>;
  /** `path=value` of each `--set`. */
  readonly assignments?: readonly string[];
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly file?: { readonly path: string; readonly text: string };
  /** Absolute; paths of flags and environment are relative to it. */
  readonly workingDirectory: string;
}

export interface ConfigurationProblem {
  /** `portolan.yaml:3:11`, `--listen` or `PORTOLAN_LISTEN`. */
  readonly source: string;
  /** `limits.idle`, or what was written when there is no such entry. */
  readonly path: string;
  readonly message: string;
}

export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
  readonly problems: readonly ConfigurationProblem[];
  constructor(problems: readonly ConfigurationProblem[]) {
    const lines = problems.map(({ source, path, message }) =>
      path === "" ? `${source}: ${message}` : `${source}: ${path}: ${message}`,
    );
    super(lines.join("\n"));
    this.problems = problems;
  }
}

export interface ResolvedConfiguration {
  readonly configuration: Configuration;
  /** Where each entry's value came from, by path; absent for a default. */
  readonly origins: ReadonlyMap<string, string>;
}

/** A value as it was written somewhere, not yet understood. */
export interface RawValue {
  readonly path: string;
  readonly source: string;
  /** Relative paths begin here. */
  readonly directory: string;
  readonly raw: unknown;
  /** Where a part of the value is written, such as the second region of the chart. */
  readonly locate?: (keys: readonly (string | number)[]) => string;
}

/** Environment names that are ours and no configuration. */
const otherVariables = [
  "PORTOLAN_CONFIG",
  // Of the test suites and the benchmark.
  /^PORTOLAN_((REQUIRE|EXECUTABLE|TOOLS|CONFORMANCE)$|TEST_|BENCH_|CHAOS_)/,
  // Kubernetes sets these in every pod beside a Service named "portolan".
  /^PORTOLAN_(SERVICE_(HOST|PORT)(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$/,
];

/** @throws {ConfigurationError} with every problem */
export function resolveConfiguration(sources: ConfigurationSources): ResolvedConfiguration {
  const problems: ConfigurationProblem[] = [];
  const entries = namedEntries();
  // From the strongest to the weakest.
  const layers = [
    readFlags(sources, entries, problems),
    readEnvironment(sources, entries, problems),
    readFile(sources, entries, problems),
  ];
  const values = new Map<string, unknown>();
  const origins = new Map<string, string>();
  const broken = new Set<string>();
  for (const { path, entry } of entries) {
    for (const layer of layers) {
      const written = layer.get(path);
      if (written === undefined) continue;
      // Also when something stronger overrides it: a mistake does not go away by being hidden.
      const result = v.safeParse(entry.type.schema, written.raw);
      if (!result.success) {
        broken.add(path);
        for (const issue of result.issues) problems.push(problemOf(written, issue));
      } else if (!values.has(path)) {
        const { output } = result;
        values.set(path, absolute(entry, output, written.directory));
        origins.set(path, written.source);
      }
    }
    if (values.has(path)) continue;
    const value = entry.default;
    const isPath = entry.path && value !== undefined;
    values.set(path, isPath ? resolve(sources.workingDirectory, String(value)) : value);
  }
  const configuration = nested(configurationEntries, values) as Configuration;
  for (const problem of checkTogether(configuration)) {
    if (problem.involves.some((path) => broken.has(path))) continue;
    const source = problem.involves.map((path) => origins.get(path)).find(Boolean);
    problems.push({
      source: source ?? "configuration",
      path: problem.path,
      message: problem.message,
    });
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  return { configuration, origins };
}

function absolute(entry: NamedEntry["entry"], value: unknown, directory: string): unknown {
  if (entry.path) return resolve(directory, String(value));
  return entry.type.resolvePaths?.(value, directory) ?? value;
}

function problemOf(written: RawValue, issue: v.BaseIssue<unknown>): ConfigurationProblem {
  const keys = (issue.path ?? []).map((item) => item.key as string | number);
  return {
    source: keys.length > 0 && written.locate ? written.locate(keys) : written.source,
    path: keys.reduce<string>(
      (path, key) => (typeof key === "number" ? `${path}[${key}]` : `${path}.${key}`),
      written.path,
    ),
    message: issue.message,
  };
}

function readFlags(
  sources: ConfigurationSources,
  entries: readonly NamedEntry[],
  problems: ConfigurationProblem[],
): Map<string, RawValue> {
  const layer = new Map<string, RawValue>();
  const directory = sources.workingDirectory;
  for (const assignment of sources.assignments ?? []) {
    const equals = assignment.indexOf("=");
    const path = equals < 0 ? assignment : assignment.slice(0, equals);
    const named = entries.find((candidate) => candidate.path === path);
    if (equals < 0) {
      problems.push({ source: "--set", path, message: "expected PATH=VALUE" });
    } else if (named === undefined) {
      problems.push({ source: "--set", path, message: unknownMessage(path, entries) });
    } else if (named.entry.secret || named.entry.only) {
      const place = named.entry.only ?? "file or environment";
      problems.push({ source: "--set", path, message: `may only come from the ${place}` });
    } else {
      layer.set(path, { path, source: "--set", directory, raw: assignment.slice(equals + 1) });
    }
  }
  for (const named of entries) {
    const raw = sources.flags?.[named.path];
    if (raw === undefined || named.flag === undefined) continue;
    layer.set(named.path, { path: named.path, source: `--${named.flag}`, directory, raw });
  }
  return layer;
}

function unknownMessage(path: string, entries: readonly NamedEntry[]): string {
  const nearest = suggestion(
    path,
    entries.map((entry) => entry.path),
  );
  return nearest === undefined ? "unknown" : `unknown; did you mean ${nearest}?`;
}

function readEnvironment(
  sources: ConfigurationSources,
  entries: readonly NamedEntry[],
  problems: ConfigurationProblem[],
): Map<string, RawValue> {
  const layer = new Map<string, RawValue>();
  const byVariable = new Map(entries.map((entry) => [entry.variable, entry]));
  for (const [variable, raw] of Object.entries(sources.environment ?? {})) {
    // An empty variable is how many tools say "not set".
    if (!variable.startsWith("PORTOLAN_") || raw === undefined || raw === "") continue;
    if (
      otherVariables.some((other) =>
        typeof other === "string" ? other === variable : other.test(variable),
      )
    ) {
      continue;
    }
    const named = byVariable.get(variable);
    if (named === undefined) {
      const known = entries.flatMap((entry) => entry.variable ?? []);
      const nearest = suggestion(variable, known);
      const message = nearest === undefined ? "unknown" : `unknown; did you mean ${nearest}?`;
      problems.push({ source: variable, path: "", message });
      continue;
    }
    const directory = sources.workingDirectory;
    layer.set(named.path, { path: named.path, source: variable, directory, raw });
  }
  return layer;
}

function readFile(
  sources: ConfigurationSources,
  entries: readonly NamedEntry[],
  problems: ConfigurationProblem[],
): Map<string, RawValue> {
  const layer = new Map<string, RawValue>();
  if (sources.file === undefined) return layer;
  const directory = dirname(resolve(sources.workingDirectory, sources.file.path));
  const parsed = parseConfigurationFile(sources.file, entries);
  problems.push(...parsed.problems);
  for (const value of parsed.values) layer.set(value.path, { ...value, directory });
  return layer;
}

function nested(tree: EntryTree, values: ReadonlyMap<string, unknown>, prefix = ""): unknown {
  return Object.fromEntries(
    Object.entries(tree).map(([key, node]) => {
      const path = prefix === "" ? key : `${prefix}.${key}`;
      return [key, isEntry(node) ? values.get(path) : nested(node, values, path)];
    }),
  );
}
