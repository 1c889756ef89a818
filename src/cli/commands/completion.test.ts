import { describe, expect, test } from "bun:test";
import { runCommandLine } from "../../../tests/support/command-context.ts";
import { requirement } from "../../../tests/support/require.ts";

async function script(shell: string): Promise<string> {
  const { stdout, exitCode } = await runCommandLine(["completion", shell], "/");
  expect(exitCode).toBe(0);
  return stdout;
}

const hasBash = requirement("clients", Bun.which("bash") !== null, "bash");

describe.skipIf(!hasBash)("bash", () => {
  async function complete(...words: readonly string[]): Promise<string[]> {
    const text = `${await script("bash")}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}
_portolan; echo "\${COMPREPLY[@]}"`;
    const { stdout, stderr, exitCode } = Bun.spawnSync(["bash", "-c", text]);
    expect([exitCode, stderr.toString()]).toEqual([0, ""]);
    return stdout.toString().trim().split(" ").filter(Boolean);
  }

  test("completes commands, their commands and their options", async () => {
    expect(await complete("portolan", "ch")).toEqual(["chart"]);
    expect(await complete("portolan", "chart", "")).toContain("init");
    expect(await complete("portolan", "serve", "--config", "x.yaml", "--tls-")).toEqual([
      "--tls-certificate",
      "--tls-key",
    ]);
    expect(await complete("portolan", "config", "check", "--con")).toEqual(["--config"]);
    expect(await complete("portolan", "serve", "--nonsense")).toEqual([]);
  });
});

test("zsh and fish know every command", async () => {
  for (const shell of ["zsh", "fish"]) {
    const text = await script(shell);
    for (const word of ["serve", "chart", "init", "config", "tls-certificate"]) {
      expect(text).toContain(word);
    }
  }
});
