/**
 * Runs a program as a person would in a shell, and keeps what it printed.
 *
 *     const listing = await runCommand(["skopeo", "list-tags", "docker://127.0.0.1:5001/app"]);
 */

export interface CommandOptions {
  /** Added to the environment of the tests; undefined takes a variable away. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly directory?: string;
  /** Written to its standard input, which is empty otherwise. */
  readonly input?: string;
  /** The program is killed after so long. */
  readonly timeoutSeconds?: number;
}

export interface CommandResult {
  /** Of a program that was killed: 128 and the number of the signal. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly result: CommandResult;
  constructor(command: readonly string[], result: CommandResult) {
    super(
      `${command.join(" ")}\nended with ${result.exitCode}\n${result.stdout}\n${result.stderr}`.trim(),
    );
    this.result = result;
  }
}

/** @returns what it wrote to its standard output, @throws CommandError unless it ended with 0 */
export async function runCommand(
  command: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const result = await attemptCommand(command, options);
  if (result.exitCode !== 0) throw new CommandError(command, result);
  return result.stdout;
}

/** For commands that are expected to fail: never throws for an exit code. */
export async function attemptCommand(
  command: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const child = Bun.spawn([...command], {
    stdin: options.input === undefined ? "ignore" : new TextEncoder().encode(options.input),
    stdout: "pipe",
    stderr: "pipe",
    env: { ...process.env, ...options.environment },
    ...(options.directory === undefined ? {} : { cwd: options.directory }),
    timeout: (options.timeoutSeconds ?? 120) * 1000,
    killSignal: "SIGKILL",
  });
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { exitCode, stdout, stderr };
}
