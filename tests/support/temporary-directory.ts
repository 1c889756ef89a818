/**
 * A directory that a test owns and that is gone afterwards.
 *
 *     using directory = temporaryDirectory();
 *     await Bun.write(join(directory.path, "file"), bytes);
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TemporaryDirectory extends Disposable {
  readonly path: string;
  /** The same as leaving the scope of `using`, for `afterAll`. Idempotent. */
  remove(): void;
}

export function temporaryDirectory(): TemporaryDirectory {
  return directoryIn(tmpdir());
}

/** In memory where the system offers that: for tests that make many files and wait for no disk. */
export function memoryDirectory(): TemporaryDirectory {
  return directoryIn(existsSync("/dev/shm") ? "/dev/shm" : tmpdir());
}

function directoryIn(parent: string): TemporaryDirectory {
  const path = mkdtempSync(join(parent, "portolan-test-"));
  const remove = () => rmSync(path, { recursive: true, force: true });
  return { path, remove, [Symbol.dispose]: remove };
}
