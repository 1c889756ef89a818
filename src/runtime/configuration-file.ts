/** Reads the YAML of a configuration, and knows the line of everything in it. */
import { isMap, isScalar, LineCounter, type Node, parseDocument, visit, type YAMLMap } from "yaml";
import type { ConfigurationProblem, RawValue } from "./configuration.ts";
import type { NamedEntry } from "./configuration-entries.ts";
import { suggestion } from "./suggestion.ts";

/** A chart of 100 regions is under 20 KB. */
const fileBytesLimit = 1024 * 1024;

export interface ConfigurationFile {
  readonly values: readonly Omit<RawValue, "directory">[];
  readonly problems: readonly ConfigurationProblem[];
}

export function parseConfigurationFile(
  file: { readonly path: string; readonly text: string },
  entries: readonly NamedEntry[],
): ConfigurationFile {
  const values: Omit<RawValue, "directory">[] = [];
  const problems: ConfigurationProblem[] = [];
  if (file.text.length > fileBytesLimit) {
    const message = `larger than ${fileBytesLimit} characters`;
    return { values, problems: [{ source: file.path, path: "", message }] };
  }
  const lineCounter = new LineCounter();
  const document = parseDocument(file.text, { lineCounter, prettyErrors: false, uniqueKeys: true });
  const at = (offset: number | undefined) => {
    const { line, col } = lineCounter.linePos(offset ?? 0);
    return `${file.path}:${line}:${col}`;
  };
  for (const error of document.errors) {
    problems.push({ source: at(error.pos[0]), path: "", message: error.message });
  }
  visit(document, {
    // Nobody needs them here, and nested ones unfold into gigabytes.
    Alias(_, alias) {
      problems.push({
        source: at(alias.range?.[0]),
        path: "",
        message: "aliases are not read here",
      });
    },
  });
  if (problems.length > 0) return { values, problems };
  const root = document.contents;
  if (root === null || (isScalar(root) && root.value === null)) return { values, problems };
  if (!isMap(root)) {
    const message = "expected a mapping, such as `region: us-east-1`";
    return { values, problems: [{ source: at(root.range?.[0]), path: "", message }] };
  }
  walk(root, "");
  return { values, problems };

  function walk(map: YAMLMap, prefix: string): void {
    for (const pair of map.items) {
      const key = isScalar(pair.key) ? String(pair.key.value) : "";
      const path = prefix === "" ? key : `${prefix}.${key}`;
      const source = at((pair.key as Node | null)?.range?.[0]);
      const value = pair.value as Node | null;
      const named = entries.find((entry) => entry.path === path);
      const group = entries.some((entry) => entry.path.startsWith(`${path}.`));
      if (named === undefined && !group) {
        problems.push({ source, path, message: unknownMessage(key, prefix) });
      } else if (named?.entry.only === "environment") {
        const message = `may only come from the environment (${named.variable}), or from the file that root.credentials names`;
        problems.push({ source, path, message });
      } else if (value === null || (isScalar(value) && value.value === null)) {
        // `key:` with nothing behind it says nothing.
      } else if (named !== undefined) {
        values.push({
          path,
          source: at(value.range?.[0]),
          raw: value.toJS(document),
          locate: locator(value),
        });
      } else if (isMap(value)) {
        walk(value, path);
      } else {
        problems.push({
          source,
          path,
          message: `expected a mapping with ${keysOf(path).join(", ")}`,
        });
      }
    }
  }

  function locator(value: Node): (keys: readonly (string | number)[]) => string {
    return (keys) => {
      for (let length = keys.length; length > 0; length--) {
        const node = (value as unknown as YAMLMap).getIn?.(keys.slice(0, length), true);
        const range = (node as Node | undefined)?.range;
        if (range) return at(range[0]);
      }
      return at(value.range?.[0]);
    };
  }

  function keysOf(prefix: string): string[] {
    const start = prefix === "" ? "" : `${prefix}.`;
    const below = entries.filter((entry) => entry.path.startsWith(start));
    return [...new Set(below.map((entry) => entry.path.slice(start.length).split(".")[0] ?? ""))];
  }

  function unknownMessage(key: string, prefix: string): string {
    const nearest = suggestion(key, keysOf(prefix));
    if (nearest !== undefined) return `unknown key; did you mean ${nearest}?`;
    // The right key in the wrong place.
    const elsewhere = entries.find((entry) => entry.path.split(".").at(-1) === key);
    return elsewhere === undefined ? "unknown key" : `unknown key; did you mean ${elsewhere.path}?`;
  }
}
