/** The front door itself: `npm run demo` as a user runs it, and what it leaves behind. */
import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "./support/temporary-directory.ts";

const script = join(import.meta.dir, "../scripts/demo.ts");

function startDemo(directory: string) {
  return Bun.spawn([process.execPath, script], {
    env: { ...process.env, TMPDIR: directory },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
}

/** Processes whose command line names the directory; undefined where there is no /proc. */
function processesOf(directory: string): string[] | undefined {
  if (process.platform !== "linux") return undefined;
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((id) => {
      const list = Bun.spawnSync(["cat", `/proc/${id}/cmdline`]).stdout.toString();
      return list.includes(directory) ? [list.replaceAll("\0", " ")] : [];
    });
}

test("the demo ends well and leaves nothing behind", async () => {
  using directory = temporaryDirectory();
  const demo = startDemo(directory.path);
  const [output, errors] = await Promise.all([
    new Response(demo.stdout).text(),
    new Response(demo.stderr).text(),
  ]);
  expect(errors).toBe("");
  expect(output).not.toContain("\u001b");
  expect(output).toContain("everything above was observed");
  expect(output).toMatch(/1\.0\.0 is sha256:[0-9a-f]{12} in all 3 regions/);
  expect(output).toMatch(/1\.0\.1 is sha256:[0-9a-f]{12} in all 3 regions/);
  expect(await demo.exited).toBe(0);
  expect(readdirSync(directory.path)).toEqual([]);
  expect(processesOf(directory.path) ?? []).toEqual([]);
}, 120_000);

test("an interrupted demo leaves nothing behind", async () => {
  using directory = temporaryDirectory();
  const demo = startDemo(directory.path);
  let output = "";
  for await (const text of demo.stdout.pipeThrough(new TextDecoderStream())) {
    // The regions run and the image is on its way.
    if (!output.includes("is pushed to") && (output + text).includes("is pushed to")) {
      demo.kill("SIGINT");
    }
    output += text;
  }
  expect(await demo.exited).toBe(130);
  expect(output).toContain("interrupted");
  expect(readdirSync(directory.path)).toEqual([]);
  expect(processesOf(directory.path) ?? []).toEqual([]);
}, 120_000);
