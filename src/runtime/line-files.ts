/** Files of JSON lines that grow to a limit; then the file before it is replaced. */
import { mkdir, open, rename, stat } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Appends a line, which is on the disk when it resolves. Of the path and `<path>.1` together at
 * most about twice the limit is kept.
 */
export async function appendLine(path: string, line: string, bytesLimit: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (size >= bytesLimit) await rename(path, `${path}.1`);
  const file = await open(path, "a+", 0o600);
  try {
    // A crash may have left the beginning of a line, which must not spoil this one.
    const { size: end } = await file.stat();
    const last = Buffer.alloc(1);
    if (end > 0) await file.read(last, 0, 1, end - 1);
    const isTorn = end > 0 && last.toString() !== "\n";
    await file.appendFile(`${isTorn ? "\n" : ""}${line}\n`);
    await file.datasync();
  } finally {
    await file.close();
  }
}
