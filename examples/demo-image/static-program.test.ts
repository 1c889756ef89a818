import { describe, expect, test } from "bun:test";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Architecture, staticProgram } from "./static-program.ts";

const architectureHere: Architecture = process.arch === "arm64" ? "arm64" : "amd64";
const linuxHere = process.platform === "linux";
const emulator = Bun.which(
  architectureHere === "amd64" ? "qemu-aarch64-static" : "qemu-x86_64-static",
);

async function withProgram<T>(
  architecture: Architecture,
  text: string,
  use: (path: string) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), "portolan-program-"));
  try {
    const path = join(directory, "greet");
    await Bun.write(path, staticProgram(architecture, text));
    await chmod(path, 0o755);
    return await use(path);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

describe("static program", () => {
  for (const [name, text] of [
    ["a line", "Ahoy\n"],
    ["nothing", ""],
    ["letters beyond ASCII", "Galápagos, 厦门\n"],
    ["the longest text", `${"x".repeat(65_534)}\n`],
  ] as const) {
    test.skipIf(!linuxHere)(`writes ${name} and exits with 0`, async () => {
      await withProgram(architectureHere, text, async (path) => {
        const run = Bun.spawnSync([path]);
        expect(run.exitCode).toBe(0);
        expect(run.stdout.toString()).toBe(text);
      });
    });
  }

  test.skipIf(!linuxHere)("exits with 1 when the text was not written", async () => {
    await withProgram(architectureHere, "Ahoy\n", async (path) => {
      const run = Bun.spawnSync(["sh", "-c", `${path} >/dev/full`]);
      expect(run.exitCode).toBe(1);
    });
  });

  test.skipIf(emulator === null)("runs on the other architecture, emulated", async () => {
    const other = architectureHere === "amd64" ? "arm64" : "amd64";
    await withProgram(other, "Ahoy\n", async (path) => {
      const run = Bun.spawnSync([emulator ?? "", path]);
      expect(run.stdout.toString()).toBe("Ahoy\n");
      expect(run.exitCode).toBe(0);
      const full = Bun.spawnSync(["sh", "-c", `${emulator} ${path} >/dev/full`]);
      expect(full.exitCode).toBe(1);
    });
  });

  test("names its machine in the header", () => {
    const machine = (architecture: Architecture) =>
      new DataView(staticProgram(architecture, "Ahoy\n").buffer).getUint16(18, true);
    expect(machine("amd64")).toBe(62);
    expect(machine("arm64")).toBe(183);
  });

  test("refuses a text that its length field cannot hold", () => {
    expect(() => staticProgram("amd64", "x".repeat(65_536))).toThrow("65536 bytes");
  });
});
