/** One line on a terminal that is written over and over; nothing where nobody watches. */
import type { CommandContext } from "./command-context.ts";

export interface ProgressLine {
  show(text: string): void;
  /** Before anything else is printed. */
  clear(): void;
}

/** Faster than this nobody reads. */
const intervalMilliseconds = 100;
const clearLine = "\r\x1b[2K";

export function progressLine({ clock, stderr, interactive }: CommandContext): ProgressLine {
  let shownAt = Number.NEGATIVE_INFINITY;
  let isShown = false;
  return {
    show(text) {
      const now = clock.now();
      if (!interactive || Math.abs(now - shownAt) < intervalMilliseconds) return;
      shownAt = now;
      isShown = true;
      stderr(`${clearLine}${text}`);
    },
    clear() {
      if (isShown) stderr(clearLine);
      isShown = false;
    },
  };
}
