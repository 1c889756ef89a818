/** Debian's docker-registry 2.8 as a process of its own, with Basic authentication. */
import { join } from "node:path";
import { runCommand } from "./command.ts";
import { freePort } from "./free-port.ts";
import { temporaryDirectory } from "./temporary-directory.ts";
import { waitUntil } from "./wait-until.ts";

export const haveDockerRegistry =
  Bun.which("docker-registry") !== null && Bun.which("htpasswd") !== null;
export const dockerRegistryHint =
  "docker-registry and htpasswd (apt-get install docker-registry apache2-utils)";

export interface DockerRegistry extends AsyncDisposable {
  /** `127.0.0.1:<port>` */
  readonly host: string;
  readonly endpoint: string;
  readonly username: string;
  readonly password: string;
  fetch(method: string, path: string, headers?: Record<string, string>): Promise<Response>;
  stop(): Promise<void>;
  start(): Promise<void>;
}

export async function startDockerRegistry(): Promise<DockerRegistry> {
  const directory = temporaryDirectory();
  const port = freePort();
  const host = `127.0.0.1:${port}`;
  const endpoint = `http://${host}`;
  const [username, password] = ["replicator", "correct horse: battery"];
  const passwords = join(directory.path, "htpasswd");
  await Bun.write(
    passwords,
    await runCommand(["htpasswd", "-B", "-C", "4", "-b", "-n", username, password]),
  );
  const configuration = join(directory.path, "registry.yaml");
  await Bun.write(
    configuration,
    `version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: ${join(directory.path, "data")}}}
http: {addr: "${host}", secret: tests}
auth: {htpasswd: {realm: tests, path: ${passwords}}}
`,
  );
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
  const request = (method: string, path: string, headers: Record<string, string> = {}) =>
    fetch(`${endpoint}${path}`, { method, headers: { authorization, ...headers } });
  let child: Bun.Subprocess | undefined;
  const start = async () => {
    child = Bun.spawn(["docker-registry", "serve", configuration], {
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore",
    });
    await waitUntil("docker-registry", async () => (await request("GET", "/v2/")).status === 200);
  };
  const stop = async () => {
    child?.kill("SIGKILL");
    await child?.exited;
  };
  await start();
  return {
    host,
    endpoint,
    username,
    password,
    fetch: request,
    start,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      directory.remove();
    },
  };
}
