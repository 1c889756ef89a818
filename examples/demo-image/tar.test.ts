import { describe, expect, test } from "bun:test";
import { readTar, type TarEntry, writeTar } from "./tar.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const entries: TarEntry[] = [
  { type: "directory", path: "etc", mode: 0o755 },
  { type: "file", path: "etc/empty", mode: 0o600, bytes: bytes("") },
  { type: "file", path: "etc/block", mode: 0o644, bytes: bytes("x".repeat(512)) },
  { type: "file", path: "etc/word", mode: 0o4755, bytes: bytes("Ahoy") },
  { type: "symlink", path: "etc/link", target: "word" },
  { type: "file", path: `${"long/".repeat(30)}name`, mode: 0o644, bytes: bytes("deep") },
  { type: "directory", path: "tmp", mode: 0o1777 },
];

describe("tar", () => {
  test("reads what it wrote", () => {
    expect([...readTar(writeTar(entries))]).toEqual(entries);
  });

  test.skipIf(Bun.which("tar") === null)("is read by the system's tar", () => {
    const listing = Bun.spawnSync(["tar", "--numeric-owner", "-tvf", "-"], {
      stdin: writeTar(entries),
      env: { ...process.env, TZ: "UTC" },
    });
    expect(listing.stderr.toString()).toBe("");
    const lines = listing.stdout.toString().trimEnd().split("\n");
    expect(lines).toHaveLength(entries.length);
    expect(lines[0]).toMatch(/^drwxr-xr-x 0\/0 .* etc\/$/);
    expect(lines[3]).toMatch(/^-rwsr-xr-x 0\/0 .* 4 .* etc\/word$/);
    expect(lines[4]).toMatch(/ etc\/link -> word$/);
    expect(lines[5]).toEndWith(`${"long/".repeat(30)}name`);
    expect(lines[6]).toMatch(/^drwxrwxrwt /);
  });

  test("refuses a path that does not fit", () => {
    const path = "x".repeat(101);
    expect(() => writeTar([{ type: "symlink", path, target: "y" }])).toThrow("too long");
  });

  test("refuses damage", () => {
    const archive = writeTar(entries);
    const damaged = archive.slice();
    damaged[0] = 0x7a;
    expect(() => [...readTar(damaged)]).toThrow("damaged");
    expect(() => [...readTar(archive.subarray(0, 2 * 512 + 100))]).toThrow("no end");
    expect(() => [...readTar(archive.subarray(0, 3 * 512))]).toThrow("cut off");
  });
});
