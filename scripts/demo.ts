/**
 * `npm run demo`: the main job on real input, in under a minute. Three regions, each a process of
 * its own; an image pushed to the first is seen arriving in the others; the first is killed; the
 * image is pulled from the second and run; the first comes back and catches up.
 *
 * Everything that is printed was observed. What did not happen ends the demo with code 1.
 */
import { rmSync } from "node:fs";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createRegions, type Regions } from "./demo/regions.ts";
import { demo } from "./demo/story.ts";
import { formatDuration, terminal } from "./demo/terminal.ts";

// The regions are on this machine: a proxy that the user has set is for other addresses.
process.env.NO_PROXY = [process.env.NO_PROXY ?? process.env.no_proxy, "127.0.0.1"]
  .filter((text) => text !== undefined && text !== "")
  .join(",");
process.env.no_proxy = process.env.NO_PROXY;

const screen = terminal(process.stdout, process.env);
const directory = await mkdtemp(join(tmpdir(), "portolan-demo-"));
await chmod(directory, 0o700);
let regions: Regions | undefined;
let ending: Promise<void> | undefined;
let interrupted = false;

function end(): Promise<void> {
  ending ??= (async () => {
    screen.restore();
    await regions?.close();
    await rm(directory, { recursive: true, force: true });
  })();
  return ending;
}

for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const) {
  process.on(signal, () => {
    // The second signal does not wait for processes to end by themselves.
    if (interrupted) process.exit(code);
    interrupted = true;
    screen.restore();
    screen.plain("\n    interrupted: stopping the regions and removing their files");
    void end().finally(() => process.exit(code));
  });
}
process.on("exit", () => {
  screen.restore();
  regions?.killNow();
  rmSync(directory, { recursive: true, force: true });
});

try {
  const root = resolve(import.meta.dir, "..");
  regions = await createRegions({
    directory: join(directory, "regions"),
    command: [process.execPath, join(root, "src/main.ts")],
    names: ["us-east-1", "eu-west-1", "sa-east-1"],
  });
  const started = performance.now();
  await Promise.race([demo({ root, regions, screen, directory }), regions.unexpectedEnd]);
  const told = performance.now();
  await end();
  if (interrupted) await new Promise(() => {});
  screen.plain("");
  screen.done(
    `everything above was observed, in ${formatDuration(told - started)}; the regions are stopped and their files removed`,
  );
  screen.note("next: npm run dev (three regions that stay), docs/start.md (the same by hand)");
} catch (error) {
  // An interrupted demo fails because its regions end; its code is the signal's.
  if (interrupted) await new Promise(() => {});
  screen.restore();
  screen.failure(error instanceof Error ? error.message : String(error));
  for (const region of regions?.all ?? []) {
    const tail = await region.logTail(12);
    screen.plain(`\n    the end of ${region.region}'s log:\n${tail || "(empty)"}`);
  }
  await end();
  process.exitCode = 1;
}
