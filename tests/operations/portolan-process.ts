/**
 * The real program in processes of its own, from the sources or, when `PORTOLAN_EXECUTABLE` names
 * it, from the executable. A server listens on a port that the system chooses and that its ready
 * line tells, so nothing is guessed and nothing collides.
 */
import { join } from "node:path";

const root = join(import.meta.dir, "..", "..");

export const rootCredentials = {
  accessKeyId: "AKIAPORTOLANTESTS000",
  secretAccessKey: "not/a+real=secret0123456789012345678901",
};

export const authorization = `Basic ${Buffer.from(
  `${rootCredentials.accessKeyId}:${rootCredentials.secretAccessKey}`,
).toString("base64")}`;

function commandLine(args: readonly string[]): string[] {
  const executable = process.env.PORTOLAN_EXECUTABLE;
  return executable
    ? [executable, ...args]
    : [process.execPath, join(root, "src/main.ts"), ...args];
}

/** The caller's environment without its own settings of Portolan. */
function environmentWith(more: Readonly<Record<string, string>>): Record<string, string> {
  const inherited = Object.entries(process.env).flatMap(([name, value]): [string, string][] =>
    value === undefined || name.startsWith("PORTOLAN_") ? [] : [[name, value]],
  );
  return { ...Object.fromEntries(inherited), ...more };
}

export interface ProgramOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly workingDirectory?: string;
  /** In place of the program of this checkout. */
  readonly executable?: string;
}

export interface ProgramResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. */
export async function runPortolan(
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<ProgramResult> {
  const child = spawn(args, options);
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { exitCode, stdout, stderr };
}

function spawn(args: readonly string[], options: ProgramOptions) {
  const command = options.executable ? [options.executable, ...args] : commandLine(args);
  return Bun.spawn(command, {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    env: environmentWith(options.environment ?? {}),
    cwd: options.workingDirectory ?? root,
  });
}

export type LogLine = Readonly<Record<string, unknown>>;

export interface ServerProcess extends AsyncDisposable {
  readonly processId: number;
  readonly hostname: string;
  readonly port: number;
  /** `http://127.0.0.1:<port>` or with https. */
  readonly url: string;
  readonly lines: readonly LogLine[];
  stderr(): string;
  /** The first line, past or future, with this message. */
  line(message: string, matches?: (line: LogLine) => boolean): Promise<LogLine>;
  signal(signal: NodeJS.Signals): void;
  /** The exit code. */
  readonly ended: Promise<number>;
}

/** A server that said that it is ready. Root credentials are those above. */
export async function startServer(
  args: readonly string[],
  options: ProgramOptions & { readonly ownCredentials?: true } = {},
): Promise<ServerProcess> {
  const child = spawn(["serve", "--listen", "127.0.0.1:0", ...args], {
    ...options,
    environment: {
      ...(options.ownCredentials
        ? {}
        : {
            PORTOLAN_ROOT_ACCESS_KEY_ID: rootCredentials.accessKeyId,
            PORTOLAN_ROOT_SECRET_ACCESS_KEY: rootCredentials.secretAccessKey,
          }),
      ...options.environment,
    },
  });
  const lines: LogLine[] = [];
  const waiting = new Set<() => void>();
  let stderr = "";
  let over = false;

  const read = async () => {
    let rest = "";
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + text).split("\n");
      rest = parts.pop() ?? "";
      for (const part of parts) lines.push(JSON.parse(part));
      for (const look of waiting) look();
    }
    over = true;
    for (const look of waiting) look();
  };
  const reading = read();
  void (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) stderr += text;
  })();

  function line(message: string, matches: (line: LogLine) => boolean = () => true) {
    return new Promise<LogLine>((resolve, reject) => {
      const look = () => {
        const found = lines.find((each) => each.message === message && matches(each));
        if (found !== undefined) resolve(found);
        else if (over) reject(new Error(`it ended without "${message}": ${stderr}`));
        else return;
        waiting.delete(look);
      };
      waiting.add(look);
      look();
    });
  }

  const ready = await line("ready");
  const [, hostname = "", port] = /^\[?(.*?)\]?:(\d+)$/.exec(String(ready.listen)) ?? [];
  const secure = args.includes("--tls-certificate");
  return {
    processId: child.pid,
    hostname,
    port: Number(port),
    url: `${secure ? "https" : "http"}://${hostname}:${port}`,
    lines,
    stderr: () => stderr,
    line,
    signal: (signal) => child.kill(signal),
    ended: child.exited,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
      await reading.catch(() => {});
    },
  };
}
