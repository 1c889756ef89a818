/** A private containerd, driven by its own command line client `ctr`. */
import { join } from "node:path";
import { attemptCommand, runCommand } from "./command.ts";
import { temporaryDirectory } from "./temporary-directory.ts";
import { waitUntil } from "./wait-until.ts";

export interface Containerd extends AsyncDisposable {
  /** Runs `ctr …` against it. @throws CommandError */
  ctr(...command: string[]): Promise<string>;
  readonly socket: string;
}

export interface ContainerdPrograms {
  readonly containerd: string;
  readonly ctr: string;
}

export async function startContainerd(programs: ContainerdPrograms): Promise<Containerd> {
  const directory = temporaryDirectory();
  const socket = join(directory.path, "containerd.sock");
  const configuration = join(directory.path, "config.toml");
  // Kubernetes' plugin would look for a network and is not used here.
  await Bun.write(
    configuration,
    `version = 2
root = "${join(directory.path, "root")}"
state = "${join(directory.path, "state")}"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.cri.v1.runtime", "io.containerd.cri.v1.images"]
[grpc]
address = "${socket}"
`,
  );
  const child = Bun.spawn([programs.containerd, "-c", configuration], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: Bun.file(join(directory.path, "log")),
  });
  const stop = async () => {
    child.kill("SIGTERM");
    const late = setTimeout(() => child.kill("SIGKILL"), 20_000);
    await child.exited;
    clearTimeout(late);
    directory.remove();
  };
  const command = [programs.ctr, "-a", socket];
  const outcome = await waitUntil("containerd", async () => {
    if (child.exitCode !== null || child.signalCode !== null) return "ended";
    return (await attemptCommand([...command, "version"])).exitCode === 0 && "ready";
  }).catch(() => "silent");
  if (outcome !== "ready") {
    const log = await Bun.file(join(directory.path, "log")).text();
    await stop();
    throw new Error(`containerd did not start (${outcome}): ${log.slice(-3000)}`);
  }
  return {
    socket,
    ctr: async (...rest) =>
      (await runCommand([...command, ...rest], { timeoutSeconds: 300 })).trim(),
    [Symbol.asyncDispose]: stop,
  };
}
