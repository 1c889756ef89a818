/** Files of JSON lines. */
import { expect, test } from "bun:test";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "../../tests/support/temporary-directory.ts";
import { appendLine } from "./line-files.ts";

test("lines are appended, a torn one is closed, and a full file makes room", async () => {
  const directory = temporaryDirectory();
  try {
    const path = join(directory.path, "deeper", "lines.jsonl");
    const text = (name = path) => Bun.file(name).text();
    await appendLine(path, "1", 10);
    appendFileSync(path, "{torn");
    await appendLine(path, "2", 10);
    expect(await text()).toBe("1\n{torn\n2\n");
    await appendLine(path, "3", 10);
    expect(await text()).toBe("3\n");
    expect(await text(`${path}.1`)).toBe("1\n{torn\n2\n");
  } finally {
    directory.remove();
  }
});
