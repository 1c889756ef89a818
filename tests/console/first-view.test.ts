/** How much a browser loads before the first page is there, and that it loads it once. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { readArchive } from "../../src/console/archive.ts";
import { requirement } from "../support/require.ts";
import { startServer } from "../support/server-process.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { haveChromium, startBrowser, visit } from "./browser.ts";

const available = requirement("chromium", haveChromium, "Chromium (apt-get install chromium)");
const bytesLimit = 400_000;

test.skipIf(!available)("the first view is small, and the second costs nothing", async () => {
  // Compressed as a release is; the server from the sources compresses quickly instead.
  const directory = temporaryDirectory();
  const path = join(directory.path, "console.archive");
  const build = join(import.meta.dir, "..", "..", "console", "build.ts");
  const { exitCode, stderr } = Bun.spawnSync([process.execPath, build, "--small", "--out", path]);
  expect([exitCode, stderr.toString()]).toEqual([0, ""]);
  const { files } = await readArchive(Bun.file(path));

  await using server = await startServer();
  const browser = await startBrowser();
  try {
    await using visitor = await visit(browser, server);
    const loaded: string[] = [];
    visitor.page.on("response", (response) => {
      const { pathname } = new URL(response.url());
      if (response.fromServiceWorker() || pathname.startsWith("/console/api/")) return;
      if (pathname.startsWith("/console/")) loaded.push(pathname.slice("/console/".length));
    });
    await visitor.signIn(server.credentials);
    await visitor.page.getByText("This region is alone").waitFor();
    const bytes = loaded
      .map((name) => files.get(name === "" ? "index.html" : name))
      .reduce(
        (sum, file) => sum + ((file?.encodings.br ?? file?.encodings.identity)?.size ?? 0),
        0,
      );
    console.log(`first view, signing in and the chart: ${bytes} bytes in ${loaded.length} files`);
    expect(bytes).toBeGreaterThan(100_000);
    expect(bytes).toBeLessThan(bytesLimit);

    // Names with a hash never change: the browser has them and does not ask again.
    const asked = async () =>
      (await server.requests()).filter(({ path }) => path.startsWith("/console/assets/")).length;
    const before = await asked();
    await visitor.page.reload();
    await visitor.page.getByText("This region is alone").waitFor();
    expect(before).toBeGreaterThan(5);
    expect(await asked()).toBe(before);
    expect(visitor.complaints).toEqual([]);
  } finally {
    await browser.close();
    directory.remove();
  }
});
