/**
 * What the demo shows. On a terminal: colours and lines that are drawn again while something moves.
 * Into a file or a pipe: the same facts, one plain line each, and nothing that moves.
 */

export interface Terminal {
  /** A numbered step of the story. */
  step(text: string): void;
  done(text: string): void;
  note(text: string): void;
  failure(text: string): void;
  plain(text: string): void;
  table(rows: readonly (readonly string[])[]): void;
  /** Draws the lines again and again until the work ends, then takes them away. */
  live<T>(lines: () => readonly string[], work: Promise<T>): Promise<T>;
  paint(style: Style, text: string): string;
  /** A bar of fixed width; the fraction is from 0 to 1. */
  bar(fraction: number): string;
  /** Makes the cursor visible again, whatever happened. */
  restore(): void;
}

export type Style = "bold" | "dim" | "green" | "red" | "cyan";

/** The part of a stream that is needed, so that a test can give its own. */
export interface TerminalOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const controlSequence = "\u001b[";
const codes: Record<Style, string> = { bold: "1", dim: "2", green: "32", red: "31", cyan: "36" };
const redrawMilliseconds = 80;
const barWidth = 28;

export function terminal(
  output: TerminalOutput,
  environment: Readonly<Record<string, string | undefined>>,
): Terminal {
  const moving = output.isTTY === true && environment.TERM !== "dumb";
  // https://no-color.org: any value but the empty one switches colours off.
  const coloured = moving && !environment.NO_COLOR;
  const locale = environment.LC_ALL || environment.LC_CTYPE || environment.LANG || "";
  const unicode = moving && (/utf-?8/i.test(locale) || environment.TERM_PROGRAM !== undefined);
  const tick = unicode ? "✓" : "ok";
  const cross = unicode ? "✗" : "failed:";
  let steps = 0;
  let hidden = false;

  const paint = (style: Style, text: string) =>
    coloured ? `${controlSequence}${codes[style]}m${text}${controlSequence}0m` : text;
  const line = (text: string) => void output.write(`${text}\n`);

  function restore() {
    if (hidden) output.write(`${controlSequence}?25h`);
    hidden = false;
  }

  return {
    paint,
    restore,
    plain: line,
    step(text) {
      steps++;
      line("");
      line(`${paint("cyan", String(steps).padStart(2))}  ${paint("bold", text)}`);
    },
    done: (text) => line(`    ${paint("green", tick)} ${text}`),
    note: (text) => line(`      ${paint("dim", text)}`),
    failure: (text) => line(`    ${paint("red", `${cross} ${text}`)}`),

    table(rows) {
      const widths: number[] = [];
      for (const row of rows) {
        for (const [column, cell] of row.entries()) {
          widths[column] = Math.max(widths[column] ?? 0, cell.length);
        }
      }
      for (const [index, row] of rows.entries()) {
        const cells = row.map((cell, column) => cell.padEnd(widths[column] ?? 0));
        const text = cells.join("   ").trimEnd();
        line(`    ${index === 0 ? paint("dim", text) : text}`);
      }
    },

    bar(fraction) {
      const filled = Math.round(Math.min(1, Math.max(0, fraction)) * barWidth);
      const [full, empty] = unicode ? ["█", "░"] : ["#", "."];
      return `${paint("cyan", full.repeat(filled))}${paint("dim", empty.repeat(barWidth - filled))}`;
    },

    async live(lines, work) {
      if (!moving) return work;
      let drawn = 0;
      const erase = () => (drawn === 0 ? "" : `${controlSequence}${drawn}A${controlSequence}0J`);
      const draw = () => {
        // Wrapped lines would break the counting, so lines keep inside the width: no wrap mode.
        const next = lines();
        output.write(
          `${controlSequence}?7l${erase()}${next.map((text) => `    ${text}\n`).join("")}${controlSequence}?7h`,
        );
        drawn = next.length;
      };
      output.write(`${controlSequence}?25l`);
      hidden = true;
      draw();
      const timer = setInterval(draw, redrawMilliseconds);
      try {
        return await work;
      } finally {
        clearInterval(timer);
        output.write(erase());
        restore();
      }
    },
  };
}

/** Decimal units, as disks and networks are sold: `55.6 MB`. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"] as const;
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** `42 ms` below a second, `1.23 s` above. */
export function formatDuration(milliseconds: number): string {
  return milliseconds < 999.5
    ? `${Math.round(milliseconds)} ms`
    : `${(milliseconds / 1000).toFixed(2)} s`;
}
