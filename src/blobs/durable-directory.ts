/**
 * Directories whose entries survive a power cut. A file's own fsync does not cover its name: the
 * directory that holds the name has to be synced too, and so on upwards for a directory that is new.
 */
import { constants } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/**
 * Creates directories with their parents, durably. Those that exist are left alone.
 * @param mode of what is created
 */
export async function makeDurableDirectories(
  paths: readonly string[],
  mode?: number,
): Promise<void> {
  const holders = new Set<string>();
  for (const path of paths) {
    const first = await mkdir(path, { recursive: true, ...(mode !== undefined && { mode }) });
    if (first === undefined) continue;
    const top = dirname(resolve(first));
    for (let holder = dirname(resolve(path)); ; holder = dirname(holder)) {
      holders.add(holder);
      if (holder === top || holder === dirname(holder)) break;
    }
  }
  // All of them after all of the work: the first sync usually brings the rest along.
  for (const holder of holders) await syncDirectory(holder);
}

/** Makes the names in a directory durable: what was created, renamed and removed in it. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
