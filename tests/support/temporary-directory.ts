/**
 * A directory that a test owns and that is gone afterwards.
 *
 *     using directory = temporaryDirectory();
 *     await Bun.write(join(directory.path, "file"), bytes);
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TemporaryDirectory extends Disposable {
  readonly path: string;
  /** The same as leaving the scope of `using`, for `afterAll`. Idempotent. */
  remove(): void;
}

export function temporaryDirectory(): TemporaryDirectory {
  const path = mkdtempSync(join(tmpdir(), "portolan-test-"));
  const remove = () => rmSync(path, { recursive: true, force: true });
  return { path, remove, [Symbol.dispose]: remove };
}
