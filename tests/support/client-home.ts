/**
 * A home directory for clients: their credentials, caches and images go there, and none of the
 * machine's is seen.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { attemptCommand } from "./command.ts";
import { type TemporaryDirectory, temporaryDirectory } from "./temporary-directory.ts";

export interface ClientHome extends AsyncDisposable {
  readonly path: string;
  /** For every command that is to use this home. */
  readonly environment: Readonly<Record<string, string>>;
  /** Flags of podman and buildah: a storage of images of its own. */
  readonly storage: readonly string[];
}

export function clientHome(): ClientHome {
  const directory: TemporaryDirectory = temporaryDirectory();
  const { path } = directory;
  for (const name of ["docker", "run", "containers"]) mkdirSync(join(path, name));
  const environment = {
    HOME: path,
    DOCKER_CONFIG: join(path, "docker"),
    REGISTRY_AUTH_FILE: join(path, "auth.json"),
    XDG_RUNTIME_DIR: join(path, "run"),
    XDG_CONFIG_HOME: join(path, "config"),
    XDG_CACHE_HOME: join(path, "cache"),
    BUILDAH_ISOLATION: "chroot",
  };
  const storage = [`--root=${join(path, "containers")}`, `--runroot=${join(path, "run")}`];
  return {
    path,
    environment,
    storage,
    async [Symbol.asyncDispose]() {
      // What is still mounted could not be removed.
      if (Bun.which("buildah") !== null) {
        await attemptCommand(["buildah", ...storage, "rm", "--all"], { environment });
      }
      await attemptCommand(["umount", join(path, "containers", "overlay")]);
      directory.remove();
    },
  };
}
