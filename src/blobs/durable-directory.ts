/**
 * Directories whose entries survive a power cut. A file's own fsync does not cover its name: the
 * directory that holds the name has to be synced too, and so on upwards for a directory that is new.
 */
import { constants } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/** Creates a directory with its parents, durably. Does nothing when it exists. */
export async function makeDurableDirectory(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  if (first === undefined) return;
  const top = dirname(resolve(first));
  for (let directory = dirname(resolve(path)); ; directory = dirname(directory)) {
    await syncDirectory(directory);
    if (directory === top || directory === dirname(directory)) return;
  }
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
