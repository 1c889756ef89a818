/**
 * A real `portolan serve` in a process of its own, from the sources or, when
 * `PORTOLAN_EXECUTABLE` names it, from the executable that `npm run build` makes.
 *
 *     await using server = await startServer();
 *     await runCommand(["skopeo", "list-tags", `docker://${server.host}/app`, …]);
 */
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { temporaryDirectory } from "./temporary-directory.ts";
import { waitUntil } from "./wait-until.ts";

const repositoryRoot = join(import.meta.dir, "..", "..");

export interface ServerOptions {
  readonly region?: string;
  readonly account?: string;
  /** A free one unless given. */
  readonly port?: number;
  /** Kept afterwards when given; otherwise a temporary one. */
  readonly dataDirectory?: string;
  /** Further flags of `portolan serve`. */
  readonly flags?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** A file that says everything but the port; no other flag is given then. */
  readonly configuration?: string;
  /** Those that the configuration names, so that the environment need not. */
  readonly credentials?: Credentials;
}

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface ServerProcess extends AsyncDisposable {
  /** `127.0.0.1:<port>`, as it stands in the name of an image. */
  readonly host: string;
  /** `http://127.0.0.1:<port>` */
  readonly endpoint: string;
  readonly region: string;
  readonly account: string;
  readonly dataDirectory: string;
  readonly credentials: Credentials;
  /** The value of a header `Authorization`. */
  readonly authorization: string;
  /** Undefined while it is down. */
  readonly processId: number | undefined;
  /** Everything that it has printed, also before a restart. */
  log(): string;
  /** The requests of its log, oldest first, up to the last that was answered before the call. */
  requests(): Promise<RequestLogEntry[]>;
  /** Asks it to end (SIGTERM) and waits for that. @returns the exit code */
  stop(): Promise<number>;
  /** SIGKILL: no time for a last word. */
  kill(): Promise<void>;
  /** Starts it again, with the same data on the same port. */
  start(): Promise<void>;
}

/** One line of the server's request log. */
export interface RequestLogEntry {
  readonly method: string;
  /** With the query; `digest`, `mount` and `from` are shown in it. */
  readonly path: string;
  readonly status: number;
  /** The endpoint's fixed name, such as `start-upload`. */
  readonly endpoint?: string;
  readonly repository?: string;
}

/** Such as the keys of AWS look, so that clients which check their form accept them. */
export const testCredentials: Credentials = {
  accessKeyId: "AKIAPORTOLANTESTS000",
  secretAccessKey: "not/a+real=secret0123456789012345678901",
};

export function basicAuthorization({ accessKeyId, secretAccessKey }: Credentials): string {
  return `Basic ${Buffer.from(`${accessKeyId}:${secretAccessKey}`).toString("base64")}`;
}

/** The program and its first arguments. */
export function portolanCommand(): string[] {
  const executable = process.env.PORTOLAN_EXECUTABLE;
  if (executable) return [executable];
  return [process.execPath, join(repositoryRoot, "src", "main.ts")];
}

/** Resolves when the server says that it is ready. */
export async function startServer(options: ServerOptions = {}): Promise<ServerProcess> {
  const port = options.port ?? freePort();
  const host = `127.0.0.1:${port}`;
  const endpoint = `http://${host}`;
  const region = options.region ?? "us-east-1";
  const account = options.account ?? "111122223333";
  const givenDirectory = options.dataDirectory ?? options.configuration;
  const temporary = givenDirectory === undefined ? temporaryDirectory() : undefined;
  const dataDirectory = options.dataDirectory ?? temporary?.path ?? "";
  const credentials = options.credentials ?? testCredentials;
  const described =
    options.configuration === undefined
      ? ["--region", region, "--listen", host, "--data", dataDirectory, "--account", account]
      : ["--config", options.configuration, "--listen", host];
  const command = [...portolanCommand(), "serve", ...described, ...(options.flags ?? [])];
  let log = "";
  let child: Bun.Subprocess<"ignore", "pipe", "pipe"> | undefined;

  async function collect(stream: ReadableStream<Uint8Array>) {
    const decoder = new TextDecoder();
    for await (const chunk of stream) log += decoder.decode(chunk, { stream: true });
  }

  async function start() {
    const started = Bun.spawn(command, {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      cwd: repositoryRoot,
      env: {
        ...withoutPortolan(process.env),
        ...(options.credentials === undefined && {
          PORTOLAN_ROOT_ACCESS_KEY_ID: credentials.accessKeyId,
          PORTOLAN_ROOT_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        }),
        ...options.environment,
      },
    });
    child = started;
    void collect(started.stdout);
    void collect(started.stderr);
    try {
      const outcome = await waitUntil(`${endpoint} to be ready`, async () => {
        if (started.exitCode !== null || started.signalCode !== null) return "ended";
        return (await fetch(`${endpoint}/healthz/ready`)).ok && "ready";
      });
      if (outcome === "ended") throw new Error(`it ended with ${started.exitCode}`);
    } catch (error) {
      await kill();
      throw new Error(`portolan serve did not start: ${log.slice(-4000)}`, { cause: error });
    }
  }

  async function stop(): Promise<number> {
    const stopping = child;
    if (stopping === undefined) return 0;
    stopping.kill("SIGTERM");
    const exitCode = await stopping.exited;
    child = undefined;
    return exitCode;
  }

  async function kill() {
    const killed = child;
    if (killed === undefined) return;
    killed.kill("SIGKILL");
    await killed.exited;
    child = undefined;
  }

  await start();
  return {
    host,
    endpoint,
    region,
    account,
    dataDirectory,
    credentials,
    authorization: basicAuthorization(credentials),
    get processId() {
      return child?.pid;
    },
    log: () => log,
    async requests() {
      // The log is written behind the answers: when it tells of this request, all before are there.
      const marker = `/v2/log-marker/${crypto.randomUUID()}/tags/list`;
      await fetch(`${endpoint}${marker}`, {
        headers: { authorization: basicAuthorization(credentials) },
      });
      await waitUntil("the request log", () => log.includes(marker));
      return parseRequestLog(log).filter(({ path }) => !path.startsWith("/v2/log-marker/"));
    },
    stop,
    kill,
    start,
    async [Symbol.asyncDispose]() {
      await kill();
      temporary?.remove();
    },
  };
}

/** What configures the tests is not for the server, which refuses variables that it does not know. */
function withoutPortolan(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !name.startsWith("PORTOLAN_")),
  );
}

/** Lines that are not JSON, and those that tell of no request, are passed over. */
function parseRequestLog(log: string): RequestLogEntry[] {
  const entries: RequestLogEntry[] = [];
  for (const line of log.split("\n")) {
    if (!line.startsWith("{")) continue;
    try {
      const entry = JSON.parse(line) as RequestLogEntry;
      if (typeof entry.method === "string" && typeof entry.status === "number") entries.push(entry);
    } catch {
      // A line that is still being written.
    }
  }
  return entries;
}
