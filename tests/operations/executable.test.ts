/** `npm run build` makes one executable that serves the same, with nothing beside it. */
import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { version } from "../../src/version.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { pullBlob, pushBlob, testBlob } from "./blob-transfers.ts";
import { authorization, runPortolan, startServer } from "./portolan-process.ts";

const root = join(import.meta.dir, "..", "..");

test("the executable serves pushes and pulls", async () => {
  using directory = temporaryDirectory();
  const executable = join(directory.path, "portolan");
  const build = Bun.spawnSync([process.execPath, "scripts/build.ts", "--out", executable], {
    cwd: root,
  });
  expect(build.exitCode).toBe(0);

  const elsewhere = join(directory.path, "elsewhere");
  mkdirSync(elsewhere);
  // What lies about in the working directory must not reach it.
  writeFileSync(join(elsewhere, ".env"), "PORTOLAN_REGION=from-dotenv\n");
  writeFileSync(join(elsewhere, "bunfig.toml"), 'preload = ["./nowhere.ts"]\n');
  const options = { executable, workingDirectory: elsewhere };
  const told = await runPortolan(["version", "--json"], options);
  expect(JSON.parse(told.stdout).version).toBe(version);

  await using server = await startServer(["--data", "data"], options);
  expect((await server.line("ready")).region).toBe("us-east-1");
  const blob = testBlob(3_000_000);
  expect(await pushBlob(server, "app", blob)).toBe(201);
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: {
      mediaType: "application/vnd.oci.image.config.v1+json",
      digest: blob.digest,
      size: blob.bytes.length,
    },
    layers: [],
  });
  const url = `${server.url}/v2/app/manifests/v1`;
  const put = await fetch(url, {
    method: "PUT",
    headers: { authorization, "content-type": "application/vnd.oci.image.manifest.v1+json" },
    body: manifest,
  });
  expect(put.status).toBe(201);
  expect(await (await fetch(url, { headers: { authorization } })).text()).toBe(manifest);
  expect(Buffer.compare(await pullBlob(server, "app", blob.digest), blob.bytes)).toBe(0);
  // The limits of the socket hold in the executable too.
  const large = { "x-large": "x".repeat(70_000) };
  expect((await fetch(url, { headers: large })).status).toBe(431);
  server.signal("SIGTERM");
  expect(await server.ended).toBe(0);
  const errors = server.lines.filter(({ level }) => level === "error" || level === "warn");
  expect(errors).toEqual([]);
}, 120_000);
