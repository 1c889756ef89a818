/**
 * The registries that are measured: each a real process on a free port with its own directory.
 * Peers run without authentication (theirs is bcrypt on every request), Portolan with it.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

export interface BenchServer {
  readonly name: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly pid: number;
  stop(): Promise<void>;
}

export type StartServer = (directory: string) => Promise<BenchServer>;

const accessKeyId = "AKIABENCHMARKBENCHMA";
const secretAccessKey = "benchmark-secret-0123456789-0123456789-0";

export const portolan: StartServer = async (directory) => {
  const port = freePort();
  const executable = process.env.PORTOLAN_EXECUTABLE;
  const command =
    executable === undefined
      ? [process.execPath, join(import.meta.dir, "../src/main.ts")]
      : [executable];
  const serve = ["serve", "--region", "us-east-1", "--account", "111122223333"];
  return start("portolan", port, {
    command: [...command, ...serve, "--listen", `127.0.0.1:${port}`, "--data", directory],
    environment: {
      PORTOLAN_ROOT_ACCESS_KEY_ID: accessKeyId,
      PORTOLAN_ROOT_SECRET_ACCESS_KEY: secretAccessKey,
      // What is measured is the server, not the limit.
      PORTOLAN_THROTTLING_REQUESTS_PER_SECOND: "0",
    },
    headers: { authorization: `Basic ${btoa(`${accessKeyId}:${secretAccessKey}`)}` },
  });
};

/** CNCF distribution: 2.8 from Debian's `docker-registry`, or 3 as `registry` built with Go. */
export function distribution(name: string, executable: string): StartServer {
  return async (directory) => {
    const port = freePort();
    const configuration = join(directory, "configuration.yml");
    await mkdir(directory, { recursive: true });
    await writeFile(
      configuration,
      [
        "version: 0.1",
        "log: { level: error, accesslog: { disabled: true } }",
        `storage: { filesystem: { rootdirectory: ${JSON.stringify(join(directory, "data"))} }, delete: { enabled: true } }`,
        `http: { addr: "127.0.0.1:${port}", secret: benchmark }`,
        "",
      ].join("\n"),
    );
    return start(name, port, {
      command: [executable, "serve", configuration],
      environment: { OTEL_TRACES_EXPORTER: "none" },
      headers: {},
    });
  };
}

export function zot(executable: string): StartServer {
  return async (directory) => {
    const port = freePort();
    const configuration = join(directory, "configuration.json");
    await mkdir(directory, { recursive: true });
    await writeFile(
      configuration,
      JSON.stringify({
        distSpecVersion: "1.1.1",
        storage: { rootDirectory: join(directory, "data"), gc: false },
        http: { address: "127.0.0.1", port: String(port) },
        log: { level: "error" },
      }),
    );
    return start("zot", port, {
      command: [executable, "serve", configuration],
      environment: {},
      headers: {},
    });
  };
}

async function start(
  name: string,
  port: number,
  options: {
    command: string[];
    environment: Record<string, string>;
    headers: Record<string, string>;
  },
): Promise<BenchServer> {
  const child = Bun.spawn(options.command, {
    env: { ...process.env, ...options.environment },
    stdout: "ignore",
    stderr: "ignore",
  });
  const url = `http://127.0.0.1:${port}`;
  for (let attempt = 0; ; attempt++) {
    const response = await fetch(`${url}/v2/`, { headers: options.headers }).catch(() => undefined);
    if (response?.ok) break;
    if (attempt > 400 || child.exitCode !== null) throw new Error(`${name} did not start`);
    await Bun.sleep(25);
  }
  return {
    name,
    url,
    headers: options.headers,
    pid: child.pid,
    async stop() {
      child.kill();
      await child.exited;
    },
  };
}

export function freePort(): number {
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = probe;
  probe.stop(true);
  return port;
}
