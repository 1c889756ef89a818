/** What a command may touch of the outside world. Built in main.ts, and in tests. */
import type { Clock, Random } from "../runtime/clock.ts";

export interface CommandContext {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
  /** Writes text to standard output or standard error; no line break is added. */
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** Standard output is read by a person. */
  readonly interactive: boolean;
  readonly clock: Clock;
  readonly random: Random;
  /** Aborted when somebody presses Ctrl-C from now on; a second time ends the process. */
  readonly interruption: () => AbortSignal;
  /** Ends as the process's exit code: 1 for what failed, 2 for what was asked wrongly. */
  readonly setExitCode: (code: 1 | 2) => void;
}

/** Ends a command with a message for a person; no stack is shown. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly exitCode: 1 | 2;
  constructor(message: string, exitCode: 1 | 2 = 1, options?: { cause?: unknown }) {
    super(message, options);
    this.exitCode = exitCode;
  }
}
