/** The project's style as a test: which folder may import which, what is banned, how long files get. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { Glob } from "bun";

const root = join(import.meta.dir, "..");

interface SourceFile {
  /** Relative to the project's root. */
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
}

function files(pattern: string): SourceFile[] {
  return [...new Glob(pattern).scanSync({ cwd: root })]
    .filter((path) => !path.includes("node_modules"))
    .sort()
    .map((path) => {
      const text = readFileSync(join(root, path), "utf8");
      return { path, text, lines: text.split("\n") };
    });
}

const sources = files("src/**/*.ts");
const production = sources.filter(({ path }) => !path.endsWith(".test.ts"));
const typescript = [
  ...sources,
  ...["tests", "bench", "scripts", "examples"].flatMap((folder) => files(`${folder}/**/*.ts`)),
];

/** What each folder of src/ may import, besides itself. */
const allowed: Record<string, readonly string[]> = {
  image: [],
  runtime: [],
  blobs: ["image", "runtime"],
  metadata: ["image", "runtime"],
  registry: ["image", "blobs", "metadata", "runtime"],
  access: ["image", "metadata", "registry", "runtime"],
  "pull-through": ["image", "blobs", "metadata", "registry", "replication", "runtime"],
  oci: ["image", "access", "registry", "pull-through", "runtime"],
  replication: ["image", "blobs", "metadata", "access", "registry", "runtime"],
  "instance-metadata": ["access", "aws", "runtime"],
  aws: ["image", "metadata", "access", "registry", "replication", "pull-through", "runtime"],
  console: ["image", "metadata", "access", "registry", "replication", "runtime", "aws"],
  cli: [
    "image",
    "blobs",
    "metadata",
    "access",
    "registry",
    "replication",
    "runtime",
    "oci",
    "aws",
    "console",
    "pull-through",
    "instance-metadata",
  ],
};

/** Drivers are chosen by the composition root alone. */
const drivers = [
  "src/metadata/sqlite.ts",
  "src/metadata/postgres.ts",
  "src/blobs/filesystem.ts",
  "src/blobs/memory.ts",
];

const importPattern = /^(?:import|export)\s[^;]*?from\s+"(\.{1,2}\/[^"]+)"/gm;

function* localImports(file: SourceFile): Iterable<string> {
  for (const match of file.text.matchAll(importPattern)) {
    const target = match[1];
    if (target !== undefined) yield normalize(join(dirname(file.path), target));
  }
}

const folderOf = (path: string) => path.split("/")[1] ?? "";
const isTopLevel = (path: string) => path.split("/").length === 2;

describe("imports", () => {
  test("go in one direction", () => {
    const wrong: string[] = [];
    for (const file of production) {
      if (isTopLevel(file.path)) continue;
      const from = folderOf(file.path);
      for (const target of localImports(file)) {
        if (!target.startsWith("src/") || isTopLevel(target)) continue;
        const to = folderOf(target);
        if (to !== from && !allowed[from]?.includes(to)) wrong.push(`${file.path} -> ${target}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test("reach no driver but from a composition root", () => {
    const wrong: string[] = [];
    for (const file of production) {
      if (isTopLevel(file.path) || file.path.startsWith("src/cli/")) continue;
      for (const target of localImports(file)) {
        if (drivers.includes(target) && dirname(target) !== dirname(file.path)) {
          wrong.push(`${file.path} -> ${target}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  test("leave main.ts alone", () => {
    const wrong = production.flatMap((file) =>
      [...localImports(file)].filter((target) => target === "src/main.ts").map(() => file.path),
    );
    expect(wrong).toEqual([]);
  });

  test("leave no file of src/ unused", () => {
    const used = new Set(typescript.flatMap((file) => [...localImports(file)]));
    const entries = ["src/main.ts", "src/modules.d.ts"];
    const dead = production
      .map(({ path }) => path)
      .filter((path) => !used.has(path) && !entries.includes(path))
      .filter((path) => !typescript.some(({ text }) => text.includes(relative("src", path))));
    expect(dead).toEqual([]);
  });
});

describe("style", () => {
  const banned: readonly {
    pattern: RegExp;
    instead: string;
    except: (path: string) => boolean;
  }[] = [
    {
      pattern: /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(/,
      instead: "take a Clock or a Random as parameter",
      except: (path) => path.startsWith("src/runtime/") || path === "src/main.ts",
    },
    {
      pattern: /\bprocess\.env\b/,
      instead: "take the configuration as parameter",
      except: (path) =>
        path.startsWith("src/runtime/") || path.startsWith("src/cli/") || path === "src/main.ts",
    },
    {
      pattern: /\bBun\.(?:serve|listen|connect)\(/,
      instead: "sockets belong to src/runtime/",
      except: (path) => path.startsWith("src/runtime/"),
    },
    {
      pattern: /\bconsole\.\w+\(/,
      instead: "take a logger",
      except: (path) => path.startsWith("src/cli/") || path === "src/main.ts",
    },
    {
      pattern: /\b(?:now|current_timestamp|datetime)\(\)/i,
      instead: "time is a parameter, also in SQL",
      except: (path) => !path.startsWith("src/metadata/") || path.endsWith(".test.ts"),
    },
  ];

  for (const { pattern, instead, except } of banned) {
    test(`${pattern.source} is banned: ${instead}`, () => {
      const found: string[] = [];
      for (const { path, lines } of production) {
        if (except(path)) continue;
        for (const [i, line] of lines.entries()) {
          if (pattern.test(line.replace(/\/\/.*$|^\s*\*.*$/, ""))) found.push(`${path}:${i + 1}`);
        }
      }
      expect(found).toEqual([]);
    });
  }

  test("nothing is left unfinished, loosened or skipped", () => {
    const marks = new RegExp(
      [
        "TO" + "DO",
        "FIX" + "ME",
        "XX" + "X:",
        "@ts-" + "ignore",
        "@ts-expect-" + "error",
        "biome-" + "ignore",
        "\\.only\\(",
        "\\.to" + "do\\(",
      ].join("|"),
    );
    const found = typescript.flatMap(({ path, lines }) =>
      lines.flatMap((line, i) => (marks.test(line) ? [`${path}:${i + 1}`] : [])),
    );
    expect(found).toEqual([]);
  });

  test("files can be read at one sitting", () => {
    const long = typescript.filter(({ lines }) => lines.length > 451).map(({ path }) => path);
    expect(long).toEqual([]);
  });

  test("a file opens with what it is", () => {
    const mute = production
      .filter(({ path }) => !path.endsWith(".d.ts"))
      .filter(({ text }) => !/^(?:#!.*\n)?(?:\/\*\*|\/\/)/.test(text))
      .map(({ path }) => path);
    expect(mute).toEqual([]);
  });

  test("files are named by what they hold", () => {
    const vague = typescript
      .map(({ path }) => path)
      .filter((path) => /\/(?:utils?|helpers?|common|misc)\.ts$/.test(path));
    expect(vague).toEqual([]);
  });
});

describe("documents", () => {
  const documents = [...files("*.md"), ...files("docs/**/*.md"), ...files("src/**/*.md")];

  test("have one title", () => {
    const wrong = documents
      .filter(({ text }) => {
        const prose = text.replace(/^```[\s\S]*?^```/gm, "");
        return (prose.match(/^# /gm) ?? []).length !== 1;
      })
      .map(({ path }) => path);
    expect(wrong).toEqual([]);
  });

  test("link to what exists", async () => {
    const broken: string[] = [];
    for (const { path, text } of documents) {
      for (const match of text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)/g)) {
        const target = join(root, dirname(path), match[1] ?? "");
        const exists =
          (await Bun.file(target).exists()) ||
          [...new Glob("*").scanSync({ cwd: dirname(target), onlyFiles: false })].includes(
            target.split("/").filter(Boolean).at(-1) ?? "",
          );
        if (!exists) broken.push(`${path}: ${match[1]}`);
      }
    }
    expect(broken).toEqual([]);
  });
});
