/**
 * One server per data directory. The lock is SQLite's exclusive lock on an empty database file,
 * which the kernel holds for the process: it ends with the process, however that dies, so there is
 * no stale lock to remove by hand.
 */
import { Database } from "bun:sqlite";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface DirectoryLock {
  release(): void;
}

export class DirectoryLockedError extends Error {
  override readonly name = "DirectoryLockedError";
}

/**
 * @param holder shown to whoever comes second, such as `process 4711`
 * @throws {DirectoryLockedError} when another process, or this one, holds it
 */
export function lockDirectory(directory: string, holder: string): DirectoryLock {
  const holderFile = join(directory, "server.holder");
  const database = new Database(join(directory, "server.lock"), { create: true });
  try {
    // Nothing is ever written, so no journal file appears.
    database.run("pragma busy_timeout = 0");
    database.run("begin exclusive");
  } catch (error) {
    database.close();
    const code = (error as { code?: string }).code ?? "";
    if (!code.startsWith("SQLITE_BUSY")) throw error;
    throw new DirectoryLockedError(
      `another server uses the data directory ${directory}${described(holderFile)}: stop it, or give this one a data directory of its own`,
      { cause: error },
    );
  }
  writeFileSync(holderFile, `${holder}\n`, { mode: 0o600 });
  return { release: () => database.close() };
}

function described(holderFile: string): string {
  try {
    return ` (${readFileSync(holderFile, "utf8").trim().slice(0, 200)})`;
  } catch {
    return "";
  }
}
