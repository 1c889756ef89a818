import { describe, expect, test } from "bun:test";
import { formatBytes, formatDuration, terminal } from "./terminal.ts";

function recorded(isTTY: boolean) {
  const written: string[] = [];
  return { written, isTTY, columns: 80, write: (text: string) => void written.push(text) };
}

/** Everything that the screen can say. */
async function sayAll(environment: Record<string, string>, isTTY: boolean): Promise<string> {
  const output = recorded(isTTY);
  const screen = terminal(output, environment);
  screen.step("a step");
  screen.done("a fact");
  screen.note("a note");
  screen.failure("a failure");
  screen.table([
    ["name", "lag"],
    ["us-east-1", "12 ms"],
  ]);
  await screen.live(() => [screen.bar(0.5)], Promise.resolve());
  screen.restore();
  return output.written.join("");
}

describe("terminal", () => {
  test("writes plain lines into a pipe", async () => {
    const text = await sayAll({ LANG: "C.UTF-8", TERM: "xterm" }, false);
    expect(text).toMatchInlineSnapshot(`
      "
       1  a step
          ok a fact
            a note
          failed: a failure
          name        lag
          us-east-1   12 ms
      "
    `);
  });

  test("moves without colours when NO_COLOR is set", async () => {
    const coloured = await sayAll({ LANG: "C.UTF-8", TERM: "xterm" }, true);
    const plain = await sayAll({ LANG: "C.UTF-8", TERM: "xterm", NO_COLOR: "1" }, true);
    expect(coloured).toContain("\u001b[32m");
    expect(plain).not.toContain("\u001b[32m");
    expect(plain).toContain("\u001b[?25l");
    expect(plain).toContain("█");
  });

  test("keeps to ASCII where the locale does not say UTF-8", async () => {
    const text = await sayAll({ LANG: "C", TERM: "xterm", NO_COLOR: "1" }, true);
    expect(new TextEncoder().encode(text)).toHaveLength(text.length);
  });

  test("takes its moving lines away and shows the cursor again, also after a failure", async () => {
    const output = recorded(true);
    const screen = terminal(output, { TERM: "xterm" });
    const failing = screen.live(() => ["one", "two"], Promise.reject(new Error("over")));
    await expect(failing).rejects.toThrow("over");
    const text = output.written.join("");
    expect(text).toContain("\u001b[2A\u001b[0J");
    expect(text).toEndWith("\u001b[?25h");
  });

  test("formats bytes and durations", () => {
    expect([0, 999, 1000, 55_610_086, 107_394_952].map(formatBytes)).toEqual([
      "0 B",
      "999 B",
      "1.0 kB",
      "55.6 MB",
      "107.4 MB",
    ]);
    expect([0, 12.4, 999.4, 999.6, 1234].map(formatDuration)).toEqual([
      "0 ms",
      "12 ms",
      "999 ms",
      "1.00 s",
      "1.23 s",
    ]);
  });
});
