/**
 * A private dockerd with its own containerd, images and socket. It needs root, but neither a bridge
 * nor firewall rules: it only pushes, pulls and runs containers without a network.
 */
import { join } from "node:path";
import { attemptCommand, type CommandOptions, runCommand } from "./command.ts";
import { temporaryDirectory } from "./temporary-directory.ts";
import { waitUntil } from "./wait-until.ts";

export interface DockerDaemon extends AsyncDisposable {
  /** `unix://…`, the value of `DOCKER_HOST`. */
  readonly address: string;
  /** Runs `docker …` against this daemon. @throws CommandError */
  docker(...command: string[]): Promise<string>;
}

export const haveDocker = Bun.which("docker") !== null && findDockerd() !== undefined;

function findDockerd(): string | undefined {
  // `/usr/sbin` is not on everybody's path.
  return Bun.which("dockerd", { PATH: `${process.env.PATH}:/usr/sbin:/sbin` }) ?? undefined;
}

/** @param environment of the client, such as the directory of its credentials */
export async function startDockerDaemon(
  environment: CommandOptions["environment"],
): Promise<DockerDaemon> {
  const dockerd = findDockerd();
  if (dockerd === undefined) throw new Error("dockerd is not installed");
  const drivers = [undefined, "vfs"];
  const failures: string[] = [];
  for (const driver of drivers) {
    // overlay2 is quick, but not every file system carries it; vfs works everywhere.
    const daemon = await tryToStart(dockerd, driver, environment);
    if (typeof daemon !== "string") return daemon;
    failures.push(daemon);
  }
  throw new Error(`dockerd did not start:\n${failures.join("\n\n")}`);
}

async function tryToStart(
  dockerd: string,
  driver: string | undefined,
  environment: CommandOptions["environment"],
): Promise<DockerDaemon | string> {
  const directory = temporaryDirectory();
  const address = `unix://${join(directory.path, "socket")}`;
  const child = Bun.spawn(
    [
      dockerd,
      ...["--data-root", join(directory.path, "data"), "--exec-root", join(directory.path, "exec")],
      ...["-p", join(directory.path, "pid"), "-H", address],
      ...["--iptables=false", "--ip6tables=false", "--bridge=none"],
      ...(driver === undefined ? [] : ["--storage-driver", driver]),
    ],
    { stdin: "ignore", stdout: "ignore", stderr: Bun.file(join(directory.path, "log")) },
  );
  const log = async () => Bun.file(join(directory.path, "log")).text();
  const client = { environment: { ...environment, DOCKER_HOST: address }, timeoutSeconds: 300 };
  const stop = async () => {
    // It ends its containerd with it, and unmounts.
    child.kill("SIGTERM");
    const late = setTimeout(() => child.kill("SIGKILL"), 20_000);
    await child.exited;
    clearTimeout(late);
    directory.remove();
  };
  try {
    const outcome = await waitUntil("dockerd", async () => {
      if (child.exitCode !== null || child.signalCode !== null) return "ended";
      return (await attemptCommand(["docker", "version"], client)).exitCode === 0 && "ready";
    });
    if (outcome === "ready") {
      return {
        address,
        docker: async (...command) => (await runCommand(["docker", ...command], client)).trim(),
        [Symbol.asyncDispose]: stop,
      };
    }
  } catch {
    // Said below, with the daemon's own words.
  }
  const words = (await log()).slice(-3000);
  await stop();
  return words;
}
