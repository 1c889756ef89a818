/**
 * Runs `bun test` for the commands npm test, test:clients and test:postgres, lets through what it
 * prints, and counts. The last line of every one is `N passed, N failed, N skipped`; the exit code
 * is 0 only when nothing failed, also outside a test.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dir, "..");

export interface TestRun {
  /** Options and paths of `bun test`. */
  readonly parameters: readonly string[];
  /** Added to the environment. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** @returns the exit code */
export async function runTests(run: TestRun): Promise<number> {
  const report = mkdtempSync(join(tmpdir(), "portolan-test-report-"));
  try {
    const outcome = await countedRun(run, join(report, "junit.xml"));
    for (const line of outcome.skippedBecause) console.log(line);
    const { passed, failed, skipped } = outcome;
    console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
    return failed === 0 ? 0 : 1;
  } finally {
    rmSync(report, { recursive: true });
  }
}

interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Lines `skipped: …`, each once: what was missing. */
  readonly skippedBecause: readonly string[];
}

async function countedRun(
  { parameters, environment }: TestRun,
  reportFile: string,
): Promise<Outcome> {
  const child = Bun.spawn(
    [
      ...[process.execPath, "test"],
      ...["--reporter=junit", `--reporter-outfile=${reportFile}`],
      // Bun's own five seconds are too short for a test on a machine that does other things too.
      "--timeout=60000",
      ...parameters,
    ],
    {
      cwd: root,
      stdout: "pipe",
      stderr: "pipe",
      env: { ...process.env, ...environment, ...(process.stdout.isTTY && { FORCE_COLOR: "1" }) },
    },
  );
  // An interrupt from the terminal reaches the tests as well; wait for them, then report.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
  const because = new Set<string>();
  await Promise.all([
    pass(child.stdout, process.stdout, because),
    pass(child.stderr, process.stderr, because),
  ]);
  const exitCode = await child.exited;
  const counted = countOf(reportFile);
  // An error outside a test, or a run that died, is in no count.
  const failed = counted.failed === 0 && exitCode !== 0 ? 1 : counted.failed;
  return { ...counted, failed, skippedBecause: [...because].sort() };
}

/** Shows what the tests print, and keeps the lines that say why something was skipped. */
async function pass(
  from: ReadableStream<Uint8Array>,
  to: NodeJS.WriteStream,
  because: Set<string>,
): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  const show = (line: string) => {
    if (line.startsWith("skipped: ")) because.add(line.trimEnd());
    else to.write(line);
  };
  for await (const chunk of from) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split(/(?<=\n)/);
    rest = lines.at(-1)?.endsWith("\n") === false ? (lines.pop() ?? "") : "";
    for (const line of lines) show(line);
  }
  if (rest !== "") show(rest);
}

function countOf(reportFile: string): Omit<Outcome, "skippedBecause"> {
  let report = "";
  try {
    report = readFileSync(reportFile, "utf8");
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const summary = /<testsuites ([^>]*)>/.exec(report)?.[1] ?? "";
  const count = (name: string) => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(summary)?.[1] ?? 0);
  const failed = count("failures") + count("errors");
  return {
    passed: count("tests") - failed - count("skipped"),
    failed,
    skipped: count("skipped"),
  };
}
