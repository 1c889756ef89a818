/**
 * `npm run docs`: writes the pages of docs/reference/ that are made from the program itself.
 * `src/cli/reference.test.ts` and `tests/operations/metrics-reference.test.ts` fail when one of them
 * is not up to date.
 */
import { join } from "node:path";
import { referencePages } from "../src/cli/reference.ts";
import { metricsPage } from "./metrics-page.ts";

const root = join(import.meta.dir, "..");
for (const { path, text } of [...referencePages(), await metricsPage()]) {
  await Bun.write(join(root, path), text);
  console.log(path);
}
