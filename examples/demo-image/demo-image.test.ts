import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { digestOf } from "../../src/image/digest.ts";
import { parseManifest } from "../../src/image/manifest.ts";
import type { Clock } from "../../src/runtime/clock.ts";
import { imageLayout, writeImage } from "../registry-client/image-layout.ts";
import { buildDemoImage, type DemoImageBase, demoImageBase } from "./demo-image.ts";
import { projectDocuments } from "./project-documents.ts";
import { bunRuntimeFiles } from "./runtime-files.ts";
import type { Architecture } from "./static-program.ts";
import { unpackImage } from "./unpack.ts";

const clockAt = (milliseconds: number): Clock => ({
  now: () => milliseconds,
  sleep: async () => {},
});
const clock = clockAt(Date.UTC(2026, 10, 22));
const architectureHere: Architecture = process.arch === "arm64" ? "arm64" : "amd64";
const linuxHere = process.platform === "linux";
const root = resolve(import.meta.dir, "../..");

let directory: string;
let base: DemoImageBase;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "portolan-image-"));
  base = demoImageBase(await projectDocuments(root), undefined);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe("demo image", () => {
  test("has two platforms whose content is all there and is what its digests say", () => {
    const image = buildDemoImage({ version: "1.0.0", clock, base });
    const index = parseManifest(image.root.bytes, image.root.mediaType);
    expect(index.references.map((one) => one.digest)).toEqual(
      image.children.map((one) => one.digest),
    );
    const blobs = new Map(image.blobs.map((blob) => [blob.digest as string, blob]));
    for (const child of image.children) {
      const manifest = parseManifest(child.bytes, child.mediaType);
      const [config, ...layers] = manifest.references.map((one) => blobs.get(one.digest));
      const { rootfs } = JSON.parse(new TextDecoder().decode(config?.bytes));
      expect(rootfs.diff_ids).toEqual(
        layers.map((layer) => layer && digestOf(Bun.gunzipSync(layer.bytes))),
      );
    }
    for (const one of [...image.blobs, ...image.children, image.root]) {
      expect(digestOf(one.bytes)).toBe(one.digest);
      expect(one.bytes.length).toBe(one.size);
    }
  });

  test("is the same for the same input, and time is only in the configuration", async () => {
    const first = buildDemoImage({ version: "1.0.0", clock, base });
    const again = buildDemoImage({
      version: "1.0.0",
      clock,
      base: demoImageBase(await projectDocuments(root), undefined),
    });
    const later = buildDemoImage({ version: "1.0.0", clock: clockAt(0), base });
    expect(again.root.digest).toBe(first.root.digest);
    expect(later.root.digest).not.toBe(first.root.digest);
    expect(later.layers.map((layer) => layer.content.digest)).toEqual(
      first.layers.map((layer) => layer.content.digest),
    );
  });

  test("shares every layer but the program with its next version", () => {
    const first = buildDemoImage({ version: "1.0.0", clock, base });
    const second = buildDemoImage({ version: "1.0.1", clock, base });
    const known = new Set(first.blobs.map((blob) => blob.digest));
    const added = second.layers.filter((layer) => !known.has(layer.content.digest));
    expect(added.map((layer) => layer.name)).toEqual(["program", "program"]);
  });

  test("carries the project's documents", () => {
    const archive = new TextDecoder().decode(Bun.gunzipSync(base.documents.content.bytes));
    expect(archive).toContain("usr/share/doc/portolan/LICENSE");
  });

  test("goes without Bun where Bun's executable is none for Linux", async () => {
    const elsewhere = { platform: "darwin", arch: "arm64" } as const;
    expect(await bunRuntimeFiles(process.execPath, elsewhere)).toBeUndefined();
    const image = buildDemoImage({ version: "1.0.0", clock, base });
    expect(image.layers.map((layer) => layer.name)).not.toContain("runtime");
  });

  test.skipIf(!linuxHere)(
    "runs when unpacked: its program, and Bun in its own root",
    async () => {
      const runtime = await bunRuntimeFiles(process.execPath, process);
      if (runtime === undefined) throw new Error("no runtime files on Linux");
      const image = buildDemoImage({
        version: "1.0.0",
        clock,
        base: demoImageBase([], runtime),
      });
      const layout = imageLayout(join(directory, "layout"));
      await writeImage(layout, "1.0.0", image);
      const files = join(directory, "files");
      const program = await unpackImage(layout, image.root.digest, architectureHere, files);

      const greeting = image.greetings.get(architectureHere) ?? "";
      const run = Bun.spawnSync([program]);
      expect(run.stdout.toString()).toBe(greeting);
      expect(run.exitCode).toBe(0);
      expect(await readFile(join(files, "etc/os-release"), "utf8")).toContain("ID=portolan-demo");
      expect((await stat(join(files, "tmp"))).mode & 0o7777).toBe(0o1777);

      const chroot = Bun.which("chroot", { PATH: `${process.env.PATH}:/usr/sbin:/sbin` });
      if (process.getuid?.() !== 0 || chroot === null) {
        console.log("not tried: Bun in the image's own root, which takes the root user");
        return;
      }
      const inside = Bun.spawnSync([chroot, files, "/usr/local/bin/bun", "--version"], {
        env: {},
      });
      expect(inside.stderr.toString()).toBe("");
      expect(inside.stdout.toString()).toBe(`${Bun.version}\n`);
      const entrypoint = Bun.spawnSync([chroot, files, "/usr/local/bin/greet"], { env: {} });
      expect(entrypoint.stdout.toString()).toBe(greeting);
    },
    30_000,
  );
});
