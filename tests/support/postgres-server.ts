/**
 * A private PostgreSQL of its own version, directory and port, from the distribution's packages.
 * It listens on 127.0.0.1 and on a unix socket, and asks for a password on both.
 */
import { spawn } from "node:child_process";
import { chownSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Debian's and Ubuntu's place; the newest version last. */
const installations = "/usr/lib/postgresql";

export interface PostgresServer extends AsyncDisposable {
  /** `postgres://…@127.0.0.1:<port>/postgres`, of a superuser. */
  readonly url: string;
  /** The directory of the unix socket `.s.PGSQL.<port>`. */
  readonly socketDirectory: string;
  readonly port: number;
  readonly password: string;
  /** Kills the server as a power cut would, and starts it again: it recovers from its log. */
  crash(): Promise<void>;
  /** Stops the server and removes its directory. Idempotent. */
  stop(): Promise<void>;
}

/** The directory with `initdb` and `postgres`; undefined when they are not installed. */
export function postgresPrograms(): string | undefined {
  try {
    const versions = readdirSync(installations)
      .filter((version) => /^\d+$/.test(version))
      .sort((a, b) => Number(a) - Number(b));
    for (const version of versions.reverse()) {
      const programs = join(installations, version, "bin");
      const present = readdirSync(programs);
      if (present.includes("initdb") && present.includes("postgres")) return programs;
    }
  } catch {
    // Not a Debian system, or nothing installed.
  }
  return undefined;
}

export interface PostgresServerOptions {
  /** Fixed, when it must be known before; otherwise a free one. */
  readonly port?: number;
  /** True keeps what was committed over a power cut, for measurements; tests do without. */
  readonly fsync?: boolean;
}

export async function startPostgresServer(
  programs: string,
  options: PostgresServerOptions = {},
): Promise<PostgresServer> {
  const owner = await unprivilegedOwner();
  const directory = mkdtempSync(join(tmpdir(), "portolan-postgres-"));
  const data = join(directory, "data");
  const password = crypto.randomUUID();
  const passwordFile = join(directory, "password");
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  if (owner) for (const path of [directory, passwordFile]) chownSync(path, owner.uid, owner.gid);
  const port = options.port ?? freePort();
  let server: ReturnType<typeof spawn> | undefined;

  async function start() {
    server = spawnAs(join(programs, "postgres"), [
      ...["-D", data, "-p", String(port), "-k", directory, "-c", "listen_addresses=127.0.0.1"],
      // Its data lives as long as the test run: nothing has to reach the disk.
      ...["-c", `fsync=${options.fsync ? "on" : "off"}`, "-c", "max_connections=200"],
    ]);
    await untilReady(server);
  }

  async function end(signal: NodeJS.Signals) {
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const exited = new Promise((resolve) => server?.once("exit", resolve));
    server.kill(signal);
    await exited;
  }

  async function stop() {
    // "Fast shutdown": ends the sessions, then stops.
    await end("SIGINT");
    rmSync(directory, { recursive: true, force: true });
  }

  try {
    await runToEnd(join(programs, "initdb"), [
      ...["--pgdata", data, "--username", "portolan", "--pwfile", passwordFile],
      ...["--auth", "scram-sha-256", "--encoding", "UTF8", "--no-sync"],
      // Not C, so that a missing `collate "C"` is seen: here `a` sorts before `B`.
      ...["--locale-provider", "icu", "--icu-locale", "en-US", "--locale", "C.UTF-8"],
    ]);
    await start();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: `postgres://portolan:${password}@127.0.0.1:${port}/postgres`,
    socketDirectory: directory,
    port,
    password,
    async crash() {
      // "Immediate shutdown": nothing is written any more.
      await end("SIGQUIT");
      await start();
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };

  function spawnAs(program: string, parameters: string[]) {
    return spawn(program, parameters, {
      stdio: ["ignore", "pipe", "pipe"],
      cwd: directory,
      // As root, PostgreSQL refuses to run.
      ...(owner ? { uid: owner.uid, gid: owner.gid } : {}),
      env: { PATH: process.env.PATH ?? "", LC_ALL: "C.UTF-8" },
    });
  }

  function runToEnd(program: string, parameters: string[]): Promise<void> {
    const child = spawnAs(program, parameters);
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (bytes: Buffer) => {
        output += bytes.toString();
      });
    }
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => {
        if (code === 0) resolve();
        else reject(new Error(`${program} ended with ${code}: ${output}`));
      });
    });
  }
}

/** Resolves when the server says that it takes connections; what it says before is for an error. */
function untilReady(server: ReturnType<typeof spawn>): Promise<void> {
  let output = "";
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.once("exit", (code) => reject(new Error(`postgres ended with ${code}: ${output}`)));
    server.stderr?.on("data", (bytes: Buffer) => {
      output = (output + bytes.toString()).slice(-10_000);
      if (output.includes("database system is ready to accept connections")) resolve();
    });
    server.stdout?.resume();
  });
}

function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}

/** The system's user `postgres` when we are root; undefined when we are not. */
async function unprivilegedOwner(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const passwd = await Bun.file("/etc/passwd").text();
  const entry = passwd.split("\n").find((line) => line.startsWith("postgres:"));
  const [, , uid, gid] = entry?.split(":") ?? [];
  if (uid === undefined || gid === undefined) throw new Error("there is no user postgres");
  return { uid: Number(uid), gid: Number(gid) };
}
