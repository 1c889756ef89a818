/**
 * Makes the images of `images.ts`. Needs root: mmdebstrap and buildah unpack file systems with
 * owners and device nodes, in a chroot instead of a container so that no runtime is needed.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type CommandOptions, runCommand } from "./command.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

const release = "bookworm";
/** Documents and translations are a third of the base, and nobody reads them here. */
const leftOut = [
  "/usr/share/doc/*",
  "/usr/share/man/*",
  "/usr/share/locale/*",
  "/usr/share/info/*",
];

/** A clock that is off must not keep the package lists from being read. */
const install = (...packages: string[]) =>
  [
    "apt-get -q -o Acquire::Check-Valid-Until=false -o Acquire::Check-Date=false update",
    "apt-get -q -y upgrade",
    `apt-get -q -y --no-install-recommends install ${packages.join(" ")}`,
    "apt-get clean",
    "rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/*",
  ].join(" && ");

export async function makeImages(
  directory: string,
  progress: (line: string) => void,
): Promise<void> {
  using work = temporaryDirectory();
  const buildah = buildahIn(work.path);
  const layout = (name: string) => `oci:${join(directory, name)}`;
  const unpackedBusybox = (architecture: string) =>
    bootstrap(join(work.path, `${architecture}.tar`), [
      ...["--variant=extract", `--architectures=${architecture}`],
      "--include=base-files,busybox-static",
    ]);
  try {
    progress("Debian base");
    const base = await bootstrap(join(work.path, "base.tar"), [
      "--variant=apt",
      ...leftOut.map((path) => `--dpkgopt=path-exclude=${path}`),
    ]);
    progress("two versions of an image on it");
    await buildah.commit("base", await buildah.from("scratch"), [["add", base, "/"]]);
    const versions = { 1: ["openssl"], 2: ["openssl", "ca-certificates", "curl"] } as const;
    for (const [version, packages] of Object.entries(versions)) {
      const container = await buildah.from("localhost/base");
      await buildah.commit(`packages-${version}`, container, [
        ["run", "sh", "-ec", install(...packages)],
      ]);
      const text = join(work.path, `version-${version}`);
      await Bun.write(text, `version ${version}\n`);
      await buildah.commit(
        `debian-${version}`,
        await buildah.from(`localhost/packages-${version}`),
        [
          ["add", text, "/etc/application-version"],
          ["config", "--cmd", '["cat","/etc/application-version"]'],
        ],
      );
      await buildah.run("push", `localhost/debian-${version}`, layout(`debian:${version}`));
    }
    progress("an index of amd64 and arm64");
    await buildah.run("manifest", "create", "multi-architecture");
    for (const architecture of ["amd64", "arm64"]) {
      const archive = await unpackedBusybox(architecture);
      const container = await buildah.from("--arch", architecture, "scratch");
      await buildah.commit(`busybox-${architecture}`, container, [
        ["add", archive, "/"],
        ["config", "--arch", architecture, "--cmd", '["/bin/busybox","uname","-m"]'],
      ]);
      await buildah.run(
        "manifest",
        "add",
        "multi-architecture",
        `localhost/busybox-${architecture}`,
      );
    }
    const index = layout("multi-architecture:1");
    await buildah.run("manifest", "push", "--all", "multi-architecture", index);
    progress("zstd and zstd:chunked layers");
    await recompress("zstd", layout("debian:1"), layout("zstd:1"));
    await recompress("zstd:chunked", index, layout("zstd-chunked:1"));
    progress("45 layers");
    await makeManyLayers(buildah, work.path, layout("many-layers:1"));
  } finally {
    await buildah.clean();
  }
}

/** A tar archive of a Debian tree, made by mmdebstrap. `extract` runs nothing of it: any machine's. */
async function bootstrap(archive: string, flags: readonly string[]): Promise<string> {
  // Where device nodes cannot be made, they are left out; a container gets its own /dev anyway.
  const command = ["mmdebstrap", "--quiet", "--mode=root", "--skip=output/dev", ...flags];
  await runCommand([...command, release, archive], { timeoutSeconds: 600 });
  return archive;
}

async function recompress(format: string, source: string, target: string): Promise<void> {
  const flags = ["--insecure-policy", "--dest-compress", "--dest-compress-format", format];
  await runCommand(["skopeo", "copy", "--quiet", ...flags, source, target], {
    timeoutSeconds: 600,
  });
}

/** Each layer adds one file and rewrites another: a tower in which every layer counts. */
async function makeManyLayers(buildah: Buildah, work: string, target: string): Promise<void> {
  let image = "localhost/busybox-amd64";
  for (let layer = 1; layer <= 45; layer++) {
    const tree = join(work, `layer-${layer}`);
    mkdirSync(tree);
    await Bun.write(join(tree, "layers", String(layer)), `layer ${layer}\n`);
    await Bun.write(join(tree, "layer-count"), `${layer}\n`);
    await buildah.commit(`layers-${layer}`, await buildah.from(image), [["add", tree, "/"]]);
    image = `localhost/layers-${layer}`;
  }
  await buildah.run("push", image, target);
}

type Buildah = ReturnType<typeof buildahIn>;

/** buildah with a storage of its own, so that it neither sees nor leaves anything on the machine. */
function buildahIn(work: string) {
  const storage = [`--root=${join(work, "storage")}`, `--runroot=${join(work, "run")}`];
  const options: CommandOptions = {
    environment: { BUILDAH_ISOLATION: "chroot", HOME: work, STORAGE_DRIVER: undefined },
    timeoutSeconds: 600,
  };
  const run = async (...command: string[]) =>
    (await runCommand(["buildah", ...storage, ...command], options)).trim();
  return {
    run,
    /** @returns the container's name */
    from: (...source: string[]) => run("from", ...source),
    /** Runs each step (`add SOURCE TARGET`, `run …`, `config …`) and keeps the result as an image. */
    async commit(image: string, container: string, steps: readonly (readonly string[])[]) {
      for (const [verb = "", ...rest] of steps) {
        if (verb === "config") await run(verb, ...rest, container);
        else if (verb === "run") await run(verb, container, "--", ...rest);
        else await run(verb, container, ...rest);
      }
      await run("commit", "--quiet", "--format", "oci", "--rm", container, `localhost/${image}`);
    },
    /** Mounts that were left would keep the directory from being removed. */
    async clean() {
      await run("rm", "--all").catch(() => {});
      await run("rmi", "--all", "--force").catch(() => {});
      rmSync(join(work, "storage"), { recursive: true, force: true });
    },
  };
}
