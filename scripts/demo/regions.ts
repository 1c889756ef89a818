/**
 * Three regions as a user would start them: `portolan chart init`, then one `portolan serve` for
 * each, every one a process with a directory of its own.
 */
import { closeSync, openSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";

export const account = "111122223333";

export interface RegionProcess {
  readonly region: string;
  readonly endpoint: string;
  readonly pid: number | undefined;
  /** @returns milliseconds until it answered that it is ready */
  start(): Promise<number>;
  /** SIGKILL: no chance to finish anything. Resolves when the process is gone. */
  kill(): Promise<void>;
  logTail(lines: number): Promise<string>;
}

export interface Regions {
  readonly all: readonly RegionProcess[];
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Rejects when a process ends that nobody told to end. */
  readonly unexpectedEnd: Promise<never>;
  /** Ends every process and removes every file. Can be called again, and while starting. */
  close(): Promise<void>;
  /** For the last moment of this process, when nothing can be awaited. */
  killNow(): void;
}

export interface RegionsOptions {
  /** An empty directory, removed by `close`. */
  readonly directory: string;
  /** How `portolan` is run: an executable and its first arguments. */
  readonly command: readonly string[];
  readonly names: readonly string[];
}

const readyLimitMilliseconds = 20_000;
const stopLimitMilliseconds = 5_000;
const pollMilliseconds = 10;

export async function createRegions(options: RegionsOptions): Promise<Regions> {
  await mkdir(options.directory, { recursive: true });
  const ports = await freePorts(options.names.length);
  const environment = regionEnvironment();
  const written = await initChart(options, ports, environment);

  let closing = false;
  const unexpectedEnd = Promise.withResolvers<never>();
  // Nobody may be listening while the regions start.
  unexpectedEnd.promise.catch(() => {});
  const processes = written.regions.map(({ name, endpoint, configuration }) => {
    const log = join(options.directory, `${name}.log`);
    let child: Bun.Subprocess | undefined;
    let killed = false;
    const region: RegionProcess = {
      region: name,
      endpoint,
      get pid() {
        return child?.pid;
      },
      async start() {
        if (closing) throw new Error("the demo is ending");
        const started = performance.now();
        killed = false;
        const output = openSync(log, "a");
        try {
          child = Bun.spawn([...options.command, "serve", "--config", configuration], {
            env: environment,
            stdin: "ignore",
            stdout: output,
            stderr: output,
            onExit(_, code, signal) {
              if (closing || killed) return;
              unexpectedEnd.reject(
                new Error(`${name} ended by itself: ${signal ?? `code ${code}`}`),
              );
            },
          });
        } finally {
          closeSync(output);
        }
        await ready(child, endpoint, name);
        return performance.now() - started;
      },
      async kill() {
        killed = true;
        child?.kill("SIGKILL");
        await child?.exited;
      },
      async logTail(lines) {
        const text = await readFile(log, "utf8").catch(() => "");
        return text.trimEnd().split("\n").slice(-lines).join("\n");
      },
    };
    return { region, child: () => child };
  });

  return {
    all: processes.map(({ region }) => region),
    credentials: written.rootCredentials,
    unexpectedEnd: unexpectedEnd.promise,
    killNow() {
      closing = true;
      for (const { child } of processes) child()?.kill("SIGKILL");
    },
    async close() {
      closing = true;
      await Promise.all(processes.map(({ child }) => stop(child())));
      await rm(options.directory, { recursive: true, force: true });
    },
  };
}

/** The caller's environment without its own settings of Portolan, which are not for these regions. */
function regionEnvironment(): Record<string, string | undefined> {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("PORTOLAN_"));
  // Requests that succeed are no news in the log that a failure shows.
  return { ...Object.fromEntries(inherited), PORTOLAN_LOG_REQUESTS: "errors" };
}

/** What `portolan chart init --json` prints. */
interface WrittenChart {
  readonly regions: readonly {
    readonly name: string;
    readonly endpoint: string;
    /** The path of the region's portolan.yaml. */
    readonly configuration: string;
  }[];
  readonly rootCredentials: Regions["credentials"];
}

async function initChart(
  { command, directory, names }: RegionsOptions,
  ports: readonly number[],
  environment: Record<string, string | undefined>,
): Promise<WrittenChart> {
  const child = Bun.spawn(
    [
      ...command,
      ...["chart", "init", "--json", "--account", account, "--out", join(directory, "chart")],
      ...names.map((name, index) => `${name}=http://127.0.0.1:${ports[index]}`),
    ],
    { env: environment, stdin: "ignore", stdout: "pipe", stderr: "pipe" },
  );
  const [output, errors] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  if ((await child.exited) !== 0) {
    throw new Error(`portolan chart init failed: ${errors.trim().slice(-2000)}`);
  }
  return JSON.parse(output);
}

async function ready(child: Bun.Subprocess, endpoint: string, name: string): Promise<void> {
  const deadline = performance.now() + readyLimitMilliseconds;
  while (performance.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`${name} ended while starting, with code ${child.exitCode}`);
    }
    const answer = await fetch(`${endpoint}/healthz`, { signal: AbortSignal.timeout(1000) }).catch(
      () => undefined,
    );
    await answer?.body?.cancel();
    if (answer?.ok) return;
    await Bun.sleep(pollMilliseconds);
  }
  throw new Error(`${name} was not ready after ${readyLimitMilliseconds / 1000} s`);
}

async function stop(child: Bun.Subprocess | undefined): Promise<void> {
  if (child === undefined) return;
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), stopLimitMilliseconds);
  await child.exited;
  clearTimeout(timer);
}

/**
 * Ports that were free a moment ago, all different. Not such as the system would choose: those are
 * given to every connection that goes out, also before the regions have started.
 */
async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  for (let attempt = 0; ports.size < count; attempt++) {
    const port = 10_000 + Math.floor(Math.random() * 22_000);
    if (await isFree(port)) ports.add(port);
    else if (attempt > 100) throw new Error("no port of the loopback address is free");
  }
  return [...ports];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
