import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { namedEntries } from "../runtime/configuration-entries.ts";
import { referencePages } from "./reference.ts";

const root = join(import.meta.dir, "..", "..");

for (const { path, text } of referencePages()) {
  test(`${path} is up to date (npm run docs)`, () => {
    expect(readFileSync(join(root, path), "utf8")).toBe(text);
  });
}

test("the reference has every entry and no secret default", () => {
  const text = referencePages().find(({ path }) => path.endsWith("configuration.md"))?.text ?? "";
  for (const { path, variable } of namedEntries()) {
    expect(text).toContain(`### ${path}\n`);
    if (variable !== undefined) expect(text).toContain(`\`${variable}\``);
  }
});
