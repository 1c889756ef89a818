/** The reference of metrics names exactly what a region registers. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { metricsPage } from "../../scripts/metrics-page.ts";

test("docs/reference/metrics.md is up to date (npm run docs)", async () => {
  const { path, text } = await metricsPage();
  expect(await Bun.file(join(import.meta.dir, "../..", path)).text()).toBe(text);
}, 30_000);
